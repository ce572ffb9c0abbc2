// What kind of call is it? Finds the upstream, the dialect's endpoint, and what the body says. Every path of an upstream
// that speaks an LLM dialect is an endpoint we know or refused. Refuses with `bad_request`, `out_of_scope`, `body_too_large`.

import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { DialectName } from '../../contract/attributes.ts';
import { basePathOf, STDIO } from '../../contract/config/addresses.ts';
import type { Upstream } from '../../contract/config/config.ts';
import { Refusal } from '../../contract/refusals.ts';
import { parseStrict, StrictJsonError } from '../../kit/strict-json.ts';
import type { Bodies } from '../accept/body.ts';
import { type Classified, type Identified, learn, noteRefusal } from '../call.ts';
import { isWithin, readWithin, upstreamOf } from '../destination.ts';
import type { Dialect, Endpoint, JsonBody, RequestHead } from '../dialects/dialect.ts';
import { passesUnjudged, passesUnknown } from '../unjudged.ts';

export interface Classification {
  readonly dialects: Readonly<Partial<Record<DialectName, Dialect>>>;
  readonly bodies: Bodies;
}

const NO_BODY = Buffer.alloc(0);
const JSON_TYPE = /^(application\/(?:[a-z0-9]+\+)?json)\s*(?:;\s*charset="?utf-8"?\s*)?$/i;

export async function classify(identified: Identified, use: Classification): Promise<Classified> {
  const { config } = identified.policy;
  const upstream = upstreamOf(config, identified);
  if (!upstream) {
    const known = [...config.upstreams.keys()].join(', ');
    throw bad('unknown_upstream', `The path must begin with an upstream's name, one of: ${known}.`);
  }
  if (upstream.url === STDIO) throw bad('stdio_upstream', overStdioOnly(upstream));
  const dialect = use.dialects[upstream.speaks];
  if (!dialect) throw bad('unknown_dialect', `This release does not speak ${upstream.speaks}.`);
  if (upstream.speaks !== 'bedrock' && identified.path.includes('%2F'))
    throw bad('path_not_canonical', 'The path is not canonical: an encoded slash may stand in an ARN alone.');
  const base = basePathOf(upstream.url);
  const head = headOf(identified, base);
  const another = readWithin(config, upstream, head.path);
  const beside = identified.to.kind === 'url' && upstream.speaks !== 'http' && !isWithin(upstream, head.path);
  const endpoint = another || beside ? undefined : dialect.recognise(head, base);
  learn(identified, { upstream, dialect, head, endpoint });
  if (!endpoint) {
    if (!passesUnknown(identified, another ?? upstream))
      throw unknownEndpoint(head, upstream, another?.name ?? null, dialect);
    noteRefusal(identified, 'out_of_scope');
  }
  const body = hasBody(identified.request)
    ? await use.bodies.read(identified.request, identified.response, config.limits.bodyBytesMax)
    : NO_BODY;
  const bodyDigest =
    body.length > 0 && identified.agent.capture !== 'none' ? hash('sha256', body, 'hex') : '';
  learn(identified, { body, bodyDigest });
  const judged = endpoint?.body
    ? judgeBody(dialect, endpoint, head, body, identified, passesUnjudged(identified, upstream))
    : bodiless(dialect, endpoint, head, body, identified, passesUnjudged(identified, upstream));
  const { description } = judged;
  return learn(identified, {
    upstream,
    dialect,
    head,
    endpoint: description?.endpoint ?? endpoint,
    body,
    bodyDigest,
    ...judged,
  });
}

/**
 * At the reverse door the upstream's own base path is put before the path, unless the path already begins with it; the
 * upstream's name alone, without a slash, is the base path itself.
 */
function headOf({ method, to, path, query, request }: Identified, base: string): RequestHead {
  if (to.kind !== 'upstream') return { method, path, query, headers: request.headers };
  if (path === '/' && base !== '' && !request.url?.startsWith(`/${to.name}/`))
    return { method, path: base, query, headers: request.headers };
  const already = base === '' || path === base || path.startsWith(`${base}/`);
  return { method, path: already ? path : base + path, query, headers: request.headers };
}

const hasBody = (request: IncomingMessage): boolean =>
  request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;

type Judged = Pick<Classified, 'json' | 'description'>;

function judgeBody(
  dialect: Dialect,
  endpoint: Endpoint,
  head: RequestHead,
  body: Buffer,
  call: Identified,
  passes: boolean,
): Judged {
  try {
    const json = endpoint.body === 'bytes' ? undefined : readJson(endpoint, head, body);
    learn(call, { json }); // a refusal of what is described answers it by its id
    return { json, description: dialect.describe(endpoint, head, json ?? {}, body) };
  } catch (failure) {
    if (!passes || !(failure instanceof Refusal)) throw failure;
    noteRefusal(call, failure.code);
    return { json: undefined, description: undefined };
  }
}

/** A body where none belongs was judged by nobody, and a lenient server would read it; `{}` says nothing. */
function bodiless(
  dialect: Dialect,
  endpoint: Endpoint | undefined,
  head: RequestHead,
  body: Buffer,
  call: Identified,
  passes: boolean,
): Judged {
  if (endpoint && dialect.name !== 'http' && body.length > 0 && body.toString('latin1', 0, 3) !== '{}') {
    const refusal = bad('body_unexpected', `${head.method} ${head.path} has no body.`);
    if (!passes) throw refusal;
    noteRefusal(call, refusal.code);
  }
  return { json: undefined, description: endpoint && dialect.describe(endpoint, head, {}, NO_BODY) };
}

const isUntyped = ({ untyped }: Endpoint, type: string): boolean =>
  untyped === true && (type === '' || type === 'application/octet-stream');

function isJson({ mediaType }: Endpoint, type: string): boolean {
  const name = JSON_TYPE.exec(type)?.[1]?.toLowerCase();
  return name === 'application/json' || (name !== undefined && name === mediaType);
}

function readJson(endpoint: Endpoint, head: RequestHead, body: Buffer): JsonBody {
  const type = String(head.headers['content-type'] ?? '');
  if (!isUntyped(endpoint, type) && !isJson(endpoint, type)) {
    throw bad(
      'content_type',
      `The content-type must be application/json, not ${type === '' ? 'missing' : type.slice(0, 80)}.`,
    );
  }
  const encoding = head.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw bad('content_encoding', 'A compressed request body cannot be judged; send it uncompressed.');
  }
  try {
    const value = parseStrict(body);
    if (value === null || typeof value !== 'object' || (endpoint.body === 'object' && Array.isArray(value))) {
      throw bad('malformed_json', 'The body must be a JSON object.');
    }
    return value as JsonBody;
  } catch (failure) {
    if (failure instanceof StrictJsonError)
      throw bad(failure.reason, `The body cannot be judged. ${failure.message}`);
    throw failure;
  }
}

function unknownEndpoint(
  head: RequestHead,
  { name }: Upstream,
  another: string | null,
  dialect: Dialect,
): Refusal {
  const why = another === null ? (dialect.whyClosed?.(head) ?? null) : `call it as ${another}'s`;
  const sentence = `${head.method} ${head.path} is not an endpoint of ${name} that can be metered${why === null ? '' : `: ${why}`}.`;
  return new Refusal('out_of_scope', sentence, { reason: 'unknown_endpoint' });
}

const overStdioOnly = ({ name }: Upstream): string =>
  `${name} is a command and has no address: have your client start \`outrider mcp ${name} -- COMMAND\`.`;

function bad(reason: string, sentence: string): Refusal {
  return new Refusal('bad_request', sentence, { reason });
}
