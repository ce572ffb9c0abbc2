// Swap the agent's token for the real credential and rebuild the head. Whatever the agent sent in a credential's place
// is gone on every call; ours goes only where it is bound. Refuses with `no_credential`.

import { hash } from 'node:crypto';
import type { Credential } from '../../contract/config/config.ts';
import { Refusal } from '../../contract/refusals.ts';
import type { Secrets } from '../../kit/secrets.ts';
import { isSignedByAgent, keepSignature, signerIn } from '../agent-signature.ts';
import { type Admitted, type Credentialed, learn, type Outbound } from '../call.ts';
import { isWithin } from '../destination.ts';
import type { Unsigned } from '../dialects/dialect.ts';
import { applySplices } from '../dialects/members.ts';
import { stamped } from '../stamp.ts';

/** Hop-by-hop, framing, and what tells others about us or about other hops: never carried on. */
const DROPPED = new Set([
  'host',
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'expect',
  'http2-settings',
  'sec-websocket-extensions',
  'forwarded',
  'via',
  'traceparent',
  'tracestate',
  'baggage',
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  'x-original-url',
  'x-rewrite-url',
]);
const CREDENTIAL_PLACES = new Set(['authorization', 'x-api-key', 'api-key', 'x-goog-api-key', 'cookie']);
/** Query parameters that carry a key; taken out where we put a credential in. */
const CREDENTIAL_PARAMETERS = /^\$?(?:key|api[-_]?key|access_token|oauth_token|x-amz-[a-z0-9-]+)$/i;
const BODILESS = new Set(['GET', 'HEAD', 'OPTIONS', 'DELETE']);

export async function inject(admitted: Admitted, secrets: Secrets): Promise<Credentialed> {
  if (admitted.to.kind === 'tunnel') return learn(admitted, { outbound: bare(admitted), credentialName: '' });
  const { upstream, agent, policy, dialect } = admitted;
  const ofAgent = agent.entry.credentials.get(upstream.name);
  const name = isBound(admitted) ? (ofAgent ?? upstream.credential) : null;
  const forwarding = name === 'agent' && ofAgent === undefined;
  const credential = name === null || forwarding ? null : (policy.config.credentials.get(name) ?? null);
  const secret = credential && (await readSecret(secrets, credential));
  const outbound = build(admitted, forwarding, credential);
  if (credential && secret !== null) {
    if (credential.header) outbound.headers.push(credential.header, secret);
    else if (dialect.sign) outbound.headers.push(...(await sign(admitted, credential, outbound, secret)));
    else outbound.headers.push(...dialect.credentialHeader(secret, upstream));
  }
  if (forwarding) keepSignature(admitted, outbound);
  const named = forwarding ? fingerprintOf(admitted) : (credential?.name ?? '');
  const kept = secret !== null && !credential?.header ? dialect.guarded?.(secret) : undefined;
  const guarded = secret === null ? null : Buffer.from(kept ?? secret, 'latin1');
  if (!admitted.description?.acts.length) letGo(admitted);
  return learn(admitted, {
    outbound: { ...outbound, secret: guarded, credential: named },
    credentialName: named,
  });
}

/** A body as it was parsed is many times its text, and only a refusal of an act still asks for it: by its id. */
const letGo = (admitted: Admitted): Admitted => learn(admitted, { json: undefined });

/** By url a host may be reached beside the path that its upstream declares: while observing that passes, without a key. */
const isBound = ({ endpoint, upstream, head }: Admitted): boolean =>
  endpoint !== undefined || isWithin(upstream, head.path);

async function readSecret(secrets: Secrets, credential: Credential): Promise<string> {
  try {
    return await secrets.read(credential.secret);
  } catch (failure) {
    throw new Refusal(
      'no_credential',
      `The credential ${credential.name} could not be read: ${(failure as Error).message}.`,
    );
  }
}

async function sign(
  { dialect, startedAtMs }: Admitted,
  { name }: Credential,
  outbound: Unsigned,
  secret: string,
): Promise<string[]> {
  try {
    return await dialect.sign!(outbound, secret, startedAtMs);
  } catch (failure) {
    throw new Refusal('no_credential', `The credential ${name} cannot sign: ${(failure as Error).message}.`);
  }
}

function build(
  call: Admitted,
  forwarding: boolean,
  injected: Credential | null,
): Omit<Outbound, 'secret' | 'credential'> {
  const { upstream, head, description, method } = call;
  const becomes = method === 'WEBSOCKET' ? 'websocket' : null;
  const url = new URL(upstream.url);
  const lineage = lineageHeaders(call);
  const untouched = forwarding && call.agent.mode === 'observe' && isSignedByAgent(call);
  const body = untouched ? call.body : splice(call, lineage);
  const dropUsageChunk = description?.mustAskForUsage === true && call.json !== undefined;
  const plainAnswer =
    dropUsageChunk || description?.rewritten === true || mayBeCut(call) || call.later?.bridge != null;
  const headers = carriedHeaders(call, forwarding, plainAnswer, injected?.header?.toLowerCase());
  if (call.later) overlay(headers, call.later.headers);
  headers.push('host', url.host, ...lineage);
  if (body.length > 0 || !(BODILESS.has(method) || becomes))
    headers.push('content-length', String(body.length));
  return {
    origin: url.origin,
    path: head.path + (injected || isElsewhere(call) ? withoutCredentials(head.query) : head.query),
    method: becomes ? 'GET' : method,
    headers,
    body: body.length > 0 ? body : null,
    dropUsageChunk,
    publicOnly: !upstream.declared,
    becomes,
  };
}

/** What the agent sent as its key was for the upstream that it asked. */
const isElsewhere = ({ later, upstream }: Admitted): boolean =>
  later !== undefined && later.first.upstream !== upstream;

/** A tunnel is opened with nothing: neither head nor credential. */
function bare({ upstream, method }: Admitted): Outbound {
  return {
    origin: upstream.url,
    path: '',
    method,
    headers: [],
    body: null,
    secret: null,
    credential: '',
    dropUsageChunk: false,
    publicOnly: !upstream.declared,
    becomes: 'tunnel',
  };
}

/** A stream is read while it passes, so that it can be ended where its hold is used up. */
const mayBeCut = ({ description, agent, hold }: Admitted): boolean =>
  description?.stream === true && agent.mode === 'enforce' && hold !== null;

/** `place` is the header that our own credential goes into, where the config names one. */
function carriedHeaders(
  { request, dialect }: Admitted,
  forwarding: boolean,
  plainAnswer: boolean,
  place: string | undefined,
): string[] {
  const { rawHeaders } = request;
  const listed = String(request.headers.connection ?? '')
    .toLowerCase()
    .split(/\s*,\s*/);
  const headers: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase();
    if (DROPPED.has(name) || name.startsWith('x-outrider-') || name.startsWith('x-forwarded-')) continue;
    if (!forwarding && (CREDENTIAL_PLACES.has(name) || dialect.credentialHeaders.includes(name))) continue;
    if (name === place || listed.includes(name) || (plainAnswer && name === 'accept-encoding')) continue;
    headers.push(name, rawHeaders[i + 1]!);
  }
  if (plainAnswer) headers.push('accept-encoding', 'identity');
  return headers;
}

/** What the other wire form wants said in the head. */
function overlay(headers: string[], over: Readonly<Record<string, string | null>>): void {
  for (const [name, value] of Object.entries(over)) {
    for (let i = headers.length - 2; i >= 0; i -= 2) if (headers[i] === name) headers.splice(i, 2);
    if (value !== null) headers.push(name, value);
  }
}

/** This call's own span is the parent of whatever the upstream does. The sampler is always on. */
function lineageHeaders({ lineage, upstream, agent }: Admitted): string[] {
  const headers = ['traceparent', `00-${lineage.traceId}-${lineage.spanId}-01`];
  if (lineage.traceState) headers.push('tracestate', lineage.traceState);
  const acting = upstream.speaks === 'mcp' || upstream.speaks === 'a2a';
  const baggage = acting ? stamped(lineage, agent) : lineage.baggage;
  if (baggage) headers.push('baggage', baggage);
  return headers;
}

function splice(
  { dialect, description, json, body, outputTokensWritten, upstream }: Admitted,
  lineage: readonly string[],
): Buffer {
  if (!description || !json) return body;
  const splices = dialect.splices(description, json, body, outputTokensWritten, lineage, upstream);
  return splices.length === 0 ? body : applySplices(body, splices);
}

function withoutCredentials(query: string): string {
  if (query === '') return '';
  const parameters = query.slice(1).split('&');
  const kept = parameters.filter((parameter) => !CREDENTIAL_PARAMETERS.test(nameOf(parameter)));
  if (kept.length === parameters.length) return query;
  return kept.length > 0 ? `?${kept.join('&')}` : '';
}

/** As whoever takes the query apart reads it: `%6Bey=x` is `key`. */
const nameOf = (parameter: string): string => new URLSearchParams(parameter).keys().next().value ?? '';

/** What the agent sent, as something a record may hold: the first 12 hex digits of its SHA-256. */
function fingerprintOf({ request, dialect }: Admitted): string {
  for (const name of dialect.credentialHeaders) {
    const value = request.headers[name];
    if (typeof value === 'string') return `agent:${hash('sha256', signerIn(value), 'hex').slice(0, 12)}`;
  }
  return 'agent';
}
