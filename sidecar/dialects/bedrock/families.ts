// What an `invoke` body means depends on who made the model: each family has a format of its own. It is told by the
// model's id; where the id is a name of the account's own, the families that mark their bodies are told by the mark.

import { bareModel } from '../../../contract/rules/bare-model.ts';
import type { JsonObject } from '../dialect.ts';

export type FamilyName =
  | 'anthropic'
  | 'nova'
  | 'llama'
  | 'mistral'
  | 'titan_text'
  | 'titan_embed'
  | 'cohere_embed'
  | 'unknown';

export interface Family {
  readonly name: FamilyName;
  readonly operation: 'chat' | 'text_completion' | 'embeddings';
}

const family = (name: FamilyName, operation: Family['operation'] = 'chat'): Family => ({ name, operation });

export const UNKNOWN = family('unknown');
const ANTHROPIC = family('anthropic');
const NOVA = family('nova');

/** Beginnings of ids, without place and region. */
const FAMILIES: readonly (readonly [start: string, family: Family])[] = [
  ['anthropic.claude-', ANTHROPIC],
  ['amazon.nova-', NOVA],
  ['meta.llama', family('llama', 'text_completion')],
  ['mistral.', family('mistral', 'text_completion')],
  ['amazon.titan-text-', family('titan_text', 'text_completion')],
  ['amazon.titan-embed-', family('titan_embed', 'embeddings')],
  ['cohere.embed-', family('cohere_embed', 'embeddings')],
];

/** Neither writes text alone: pictures, film, and vectors of both, which their answers don't count in tokens. */
const OTHERWISE = /^amazon\.nova-(?:canvas|reel|sonic|2-sonic|multimodal|2-multimodal)/;

export function familyOf(model: string): Family {
  const id = bareModel(model);
  if (OTHERWISE.test(id)) return UNKNOWN;
  return FAMILIES.find(([start]) => id.startsWith(start))?.[1] ?? UNKNOWN;
}

/** Of a body to a model whose id says nothing: an application's inference profile, provisioned throughput. */
export function markedFamily(body: JsonObject): Family {
  if (typeof body.anthropic_version === 'string') return ANTHROPIC;
  return body.schemaVersion === 'messages-v1' ? NOVA : UNKNOWN;
}

/**
 * The most output some models take as a limit, by their pages of "Inference request parameters": beyond it Bedrock
 * refuses the request. Later ones take more than is ever written.
 */
const LIMITS: readonly (readonly [start: string, tokens: number])[] = [
  ['anthropic.claude-3-5-', 8_192],
  ['anthropic.claude-3-', 4_096],
  ['amazon.nova-', 5_000],
  ['amazon.titan-text-', 3_072],
  ['meta.llama', 2_048],
  ['mistral.', 4_096],
  ['cohere.', 4_000],
  ['ai21.', 4_096],
];

/** The limit to write where a request names none: no more than the model takes. */
export function limitTaken(model: string, outputTokens: number): number {
  const id = bareModel(model);
  if (id.startsWith('anthropic.claude-3-7')) return outputTokens;
  return Math.min(outputTokens, LIMITS.find(([start]) => id.startsWith(start))?.[1] ?? outputTokens);
}
