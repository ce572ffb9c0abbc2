// Trace context into `params._meta`, where MCP carries it (SEP-414; OpenTelemetry MCP conventions): this call's own, in
// place of whatever the agent wrote there. A request alone gets it; a batch goes as it came, its revision knows none.

import type { JsonBody, Splice } from '../dialect.ts';
import { insertMember, insertMembers, memberValue, replaceValue, type Span } from '../members.ts';

const KEYS = ['traceparent', 'tracestate', 'baggage'] as const;

/** `trace` is the flat list of names and values that the call's headers hold. */
export function traceContext(body: JsonBody, bytes: Buffer, trace: readonly string[]): readonly Splice[] {
  if (trace.length === 0) return [];
  if (Array.isArray(body) || body.id === undefined || typeof body.method !== 'string') return [];
  const params = memberValue(bytes, 0, 'params');
  if (!isWritten(bytes, params)) return fresh(params, bytes, `{"_meta":${JSON.stringify(members(trace))}}`);
  const meta = memberValue(bytes, params.start, '_meta');
  if (meta === undefined) return [insertMember(bytes, params.start, '_meta', JSON.stringify(members(trace)))];
  if (!isWritten(bytes, meta)) return [replaceValue(meta, JSON.stringify(members(trace)))];
  return within(bytes, meta, trace);
}

function fresh(params: Span | undefined, bytes: Buffer, value: string): readonly Splice[] {
  return params ? [replaceValue(params, value)] : [insertMember(bytes, 0, 'params', value)];
}

/** What stands there is replaced, even by nothing: another's context must not pass for this call's. */
function within(bytes: Buffer, meta: Span, trace: readonly string[]): readonly Splice[] {
  const ours: Readonly<Record<string, string>> = members(trace);
  const splices: Splice[] = [];
  const added: Record<string, string> = {};
  for (const key of KEYS) {
    const there = memberValue(bytes, meta.start, key);
    if (there) splices.push(replaceValue(there, JSON.stringify(ours[key] ?? '')));
    else if (ours[key] !== undefined) added[key] = ours[key];
  }
  return Object.keys(added).length === 0 ? splices : [insertMembers(bytes, meta.start, added), ...splices];
}

/** Null stands for nothing written. */
const isWritten = (bytes: Buffer, span: Span | undefined): span is Span =>
  span !== undefined && bytes[span.start] === 0x7b;

function members(trace: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (let at = 0; at < trace.length; at += 2) found[trace[at]!] = trace[at + 1]!;
  return found;
}
