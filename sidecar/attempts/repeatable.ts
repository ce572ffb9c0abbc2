// Whether a call may be made twice without anything happening twice. A model's answer is only words, and reading changes
// nothing; a tool call, a batch, work that goes on in the background may have happened though nobody heard of it.

import { speaksLlm } from '../../contract/attributes.ts';
import type { Classified } from '../call.ts';

/** RFC 9110 § 9.2.2. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);
/** What of a tool server's methods only reads. Source: Model Context Protocol, the methods of tools, prompts, resources. */
const READS = new Set([
  ...['ping', 'tools/list', 'prompts/list', 'prompts/get'],
  ...['resources/list', 'resources/read', 'resources/templates/list'],
]);

export function isRepeatable(
  call: Pick<Classified, 'method' | 'upstream' | 'description' | 'endpoint'>,
): boolean {
  const { method, upstream, description } = call;
  if (upstream.speaks === 'a2a') return false;
  if (upstream.speaks === 'mcp') return description !== undefined && onlyReads(description.acts);
  return IDEMPOTENT.has(method) || isModelCall(call);
}

/** Asks a model, once, and is over with its answer. */
export const isModelCall = ({
  upstream,
  description,
  endpoint,
}: Pick<Classified, 'upstream' | 'description' | 'endpoint'>): boolean =>
  speaksLlm(upstream.speaks) &&
  endpoint?.billed === 'tokens' &&
  endpoint.operation !== null &&
  description !== undefined &&
  description.model !== null &&
  description.requests.length === 0 &&
  !description.outlivesAnswer;

const onlyReads = (acts: readonly { readonly method: string }[]): boolean =>
  acts.length > 0 && acts.every(({ method }) => READS.has(method));
