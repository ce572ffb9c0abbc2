// Reads one request of ClickHouse's HTTP interface: the statement from the URL and the body, parameters, settings, the
// wished format. Source: clickhouse.com/docs/interfaces/http.

import type { IncomingMessage } from 'node:http';
import { createGunzip } from 'node:zlib';
import { ParameterFailure, substitute } from './parameters.ts';

/** ClickHouse's own default for max_query_size. */
export const STATEMENT_BYTES_MAX = 262_144;

export class BadRequest extends Error {
  override name = 'BadRequest';
  /** ClickHouse's exception number. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export interface DoorRequest {
  readonly statement: string;
  readonly settings: ReadonlyMap<string, string>;
  /** Used when the statement has no FORMAT clause; null when the client named none. */
  readonly format: string | null;
  readonly queryId: string | null;
  readonly gzip: boolean;
  /** The protocol revision whose Native format the client reads; 0 where it names none. */
  readonly revision: number;
}

/** Query-string keys that are not settings. */
const KEYS = new Set([
  ...[
    'query',
    'database',
    'default_format',
    'query_id',
    'session_id',
    'session_timeout',
    'session_check',
    'user',
  ],
  ...['password', 'quota_key', 'role', 'compress', 'decompress', 'client_protocol_version', 'stacktrace'],
  ...['buffer_size', 'wait_end_of_query', 'enable_http_compression', 'http_headers_progress_interval_ms'],
]);

/** Throws BadRequest. */
export async function readRequest(
  request: IncomingMessage,
  statementBytesMax = STATEMENT_BYTES_MAX,
): Promise<DoorRequest> {
  const url = new URL(request.url ?? '/', 'http://door');
  const header = (name: string) => request.headers[name]?.toString() ?? null;
  const search = url.searchParams;
  if (search.get('compress') === '1' || search.get('decompress') === '1')
    throw new BadRequest(
      48,
      "ClickHouse's own compression is not spoken here; turn compression off in the client",
    );
  const database = search.get('database') ?? header('x-clickhouse-database') ?? 'default';
  if (database !== 'default' && database !== '')
    throw new BadRequest(81, `Database ${database} does not exist; the tables are in \`default\``);

  const body = await readBody(request, statementBytesMax);
  const text = [search.get('query') ?? '', body].filter((part) => part !== '').join('\n');
  const parameters = new Map<string, string>();
  const settings = new Map<string, string>();
  for (const [key, value] of search) {
    if (key.startsWith('param_')) parameters.set(key.slice('param_'.length), value);
    else if (!KEYS.has(key)) settings.set(key, value);
  }
  return {
    statement: bind(text, parameters),
    settings,
    format: search.get('default_format') ?? header('x-clickhouse-format'),
    queryId: search.get('query_id'),
    revision: Number(search.get('client_protocol_version') ?? 0) || 0,
    gzip: search.get('enable_http_compression') === '1' && /\bgzip\b/.test(header('accept-encoding') ?? ''),
  };
}

function bind(text: string, parameters: ReadonlyMap<string, string>): string {
  try {
    return substitute(text, parameters);
  } catch (failure) {
    if (failure instanceof ParameterFailure) throw new BadRequest(456, failure.message);
    throw failure;
  }
}

async function readBody(request: IncomingMessage, bytesMax: number): Promise<string> {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity' && encoding !== 'gzip')
    throw new BadRequest(48, `Content-Encoding ${encoding} is not understood; send gzip or none`);
  const source = encoding === 'gzip' ? request.pipe(createGunzip()) : request;
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of source) {
      bytes += (chunk as Buffer).length;
      if (bytes > bytesMax) throw new BadRequest(62, `Query is too large: more than ${bytesMax} bytes`);
      chunks.push(chunk as Buffer);
    }
  } catch (failure) {
    if (failure instanceof BadRequest || encoding === 'identity') throw failure;
    throw new BadRequest(354, 'The body is not gzip, though Content-Encoding says so');
  }
  return asText(Buffer.concat(chunks));
}

/** What is not UTF-8 would be stored and compared as something else than was sent. */
function asText(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new BadRequest(62, 'The statement is not UTF-8; write other bytes with unhex()');
  }
}
