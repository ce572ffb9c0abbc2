// Reads one request of ClickHouse's HTTP interface: the statement from the URL and the body, parameters, settings, the
// wished format. Source: clickhouse.com/docs/interfaces/http.

import type { IncomingMessage } from 'node:http';
import { createGunzip, type Gunzip } from 'node:zlib';
import { ParameterFailure, substitute } from './parameters.ts';

/** ClickHouse's own default for max_query_size. */
const STATEMENT_BYTES_MAX = 262_144;

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
  refuseSession(search);

  const { text, fields } = await readText(request, search.get('query') ?? '', statementBytesMax);
  const parameters = new Map<string, string>();
  const settings = new Map<string, string>();
  for (const [key, value] of [...search, ...fields]) {
    if (key.startsWith('param_')) parameters.set(key.slice('param_'.length), value);
    else if (!KEYS.has(key)) settings.set(key, value);
  }
  return {
    statement: bind(text, parameters),
    settings,
    format: named(search.get('default_format') ?? header('x-clickhouse-format')),
    queryId: visible(search.get('query_id') || null), // clients send an empty one for none
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

/**
 * A session's id is taken and means nothing, since clients send one unasked; who relies on a session is told that there
 * is none. See docs/decisions/0008-no-sessions-at-the-sql-door.md.
 */
function refuseSession(search: URLSearchParams): void {
  if (search.get('session_check') === '1')
    throw new BadRequest(372, 'There are no sessions here: each request stands for itself');
  if (search.has('session_timeout'))
    throw new BadRequest(48, 'There are no sessions here; leave session_timeout away');
}

/** A format's name goes on to the engine and back in a header. */
function named(format: string | null): string | null {
  if (format !== null && !/^\w{1,64}$/.test(format)) throw new BadRequest(73, 'A format is one word');
  return format;
}

/** Goes back in a header. */
function visible(queryId: string | null): string | null {
  if (queryId !== null && !/^[\x21-\x7e]{1,256}$/.test(queryId))
    throw new BadRequest(36, 'A query_id is up to 256 visible letters of ASCII');
  return queryId;
}

interface Text {
  readonly text: string;
  /** Parameters that came in a form beside the query. */
  readonly fields: readonly (readonly [string, string])[];
}

async function readText(request: IncomingMessage, inUrl: string, bytesMax: number): Promise<Text> {
  const type = request.headers['content-type'] ?? '';
  const body = await readBody(request, bytesMax);
  const form = type.startsWith('multipart/form-data') ? await readForm(body, type) : null;
  const inBody = form ? (form.get('query') ?? '') : body;
  const text = [inUrl, inBody].filter((part) => part !== '').join('\n');
  return { text, fields: form ? [...form].filter(([key]) => key !== 'query') : [] };
}

/** The query and its parameters, as clients send them that would not fit the URL. */
async function readForm(body: string, type: string): Promise<Map<string, string>> {
  const fields = new Map<string, string>();
  const form = await new Response(body, { headers: { 'content-type': type } }).formData().catch(() => {
    throw new BadRequest(36, 'The body is not the multipart/form-data that its Content-Type says');
  });
  for (const [key, value] of form) {
    if (typeof value !== 'string' || !(key === 'query' || key.startsWith('param_')))
      throw new BadRequest(
        48,
        `A form holds query and param_…, not ${key}: there are no external tables here`,
      );
    fields.set(key, value);
  }
  return fields;
}

async function readBody(request: IncomingMessage, bytesMax: number): Promise<string> {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity' && encoding !== 'gzip')
    throw new BadRequest(48, `Content-Encoding ${encoding} is not understood; send gzip or none`);
  const source = encoding === 'gzip' ? unpacked(request) : request;
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

/** Ends with an error too when the client hangs up: a pipe alone would wait for the rest for ever. */
function unpacked(request: IncomingMessage): Gunzip {
  const source = request.pipe(createGunzip());
  request.once('error', (failure) => source.destroy(failure));
  return source;
}

/** What is not UTF-8 would be stored and compared as something else than was sent. */
function asText(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new BadRequest(62, 'The statement is not UTF-8; write other bytes with unhex()');
  }
}
