// A request as it is kept for a replay: one line of JSON with its head, then the bytes of its body. Whatever could open a
// door is left out: every credential's place, cookies, what belongs to one hop or one try.

import { FORWARDED_CREDENTIAL } from '../../contract/config/references.ts';
import { KEPT_REQUEST_BYTES_MAX, type NotKept } from '../../contract/dead-letter.ts';
import type { Known } from '../call.ts';

export interface KeptHead {
  readonly method: string;
  /** As at the sidecar's own door: `/upstream/path?query`, or a whole url where no upstream declares it. */
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** Of the agent's head nothing else is kept; a header that holds a secret by any of its names never is. */
const DROPPED =
  /^(?:host|connection|keep-alive|te|trailer|upgrade|transfer-encoding|content-length|expect|traceparent|tracestate|baggage|forwarded|via|origin|referer|accept-encoding|sec-.*|proxy-.*|x-outrider-.*|x-forwarded-.*|x-stainless-retry-count)$/;
const SECRET = /auth|cookie|token|secret|passw|credential|signature|api-?key|x-amz-|x-goog-api/;
const KEY_PARAMETER = /^\$?(?:key|[^=]*(?:api[-_]?key|token|secret|passw|signature|x-amz-)[^=]*)=/i;
const LINE_END = 0x0a;

export function keepRequest(call: Known): Buffer | NotKept {
  const { upstream, head, body } = call;
  if (!upstream || !head) return 'capture';
  if (upstream.credential === FORWARDED_CREDENTIAL) return 'own_credential';
  const line = Buffer.from(`${JSON.stringify(headOf(call, upstream.declared))}\n`);
  const bytes = Buffer.concat([line, body ?? EMPTY]);
  return bytes.length > KEPT_REQUEST_BYTES_MAX ? 'too_large' : bytes;
}

const EMPTY = Buffer.alloc(0);

function headOf({ upstream, head, method }: Known, declared: boolean): KeptHead {
  const path = (head?.path ?? '/') + withoutKeys(head?.query ?? '');
  const url = declared ? `/${upstream?.name}${path}` : `${new URL(upstream?.url ?? '').origin}${path}`;
  return { method: head?.method ?? method, url, headers: keptHeaders(head?.headers ?? {}) };
}

/** Byte for byte, but for parameters that carry a key. */
function withoutKeys(query: string): string {
  const kept = query
    .slice(1)
    .split('&')
    .filter((pair) => !KEY_PARAMETER.test(pair));
  return query === '' || kept.length === 0 ? '' : `?${kept.join('&')}`;
}

function keptHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): [name: string, value: string][] {
  return Object.entries(headers).flatMap(([name, value]) =>
    value === undefined || DROPPED.test(name) || SECRET.test(name) ? [] : [[name, String(value)]],
  );
}

/** Throws an Error where the bytes are no kept request. */
export function readKept(bytes: Buffer): { readonly head: KeptHead; readonly body: Buffer } {
  const end = bytes.indexOf(LINE_END);
  if (end < 0) throw new Error('what was kept is no request');
  const head = JSON.parse(bytes.toString('utf8', 0, end)) as KeptHead;
  return { head, body: bytes.subarray(end + 1) };
}
