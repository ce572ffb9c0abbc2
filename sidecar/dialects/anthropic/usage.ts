// Anthropic's usage: input, cache reads and cache writes are disjoint already, writes by how long they live; counts are
// cumulative, so a later report replaces an earlier one field by field, and output never shrinks.

import { countReader, objectOrNull, stringOrNull } from '../counts.ts';
import type { Json, JsonObject } from '../dialect.ts';
import { isObject } from '../fields.ts';
import type { Usage } from '../metered.ts';

export interface UsageReader {
  take(usage: JsonObject): void;
  /** Null when nothing was reported, or nonsense. */
  result(): Usage | null;
  tier(): string | null;
  /** Reported so far. */
  outputTokens(): number;
}

export function readUsage(): UsageReader {
  let merged: JsonObject | null = null;
  let sound = true;
  let outputTokens = 0;
  return {
    take(usage) {
      if (usage.output_tokens != null) {
        const counts = countReader();
        outputTokens = Math.max(outputTokens, counts.required(usage, 'output_tokens'));
        if (!counts.sound) sound = false;
      }
      const present = Object.entries(usage).filter(([, value]) => value !== null);
      merged = { ...merged, ...Object.fromEntries(present) };
    },
    result: () => (merged && sound ? disjoint(merged, outputTokens) : null),
    tier: () => (merged ? tierOf(merged) : null),
    outputTokens: () => outputTokens,
  };
}

function disjoint(usage: JsonObject, outputTokens: number): Usage | null {
  const counts = countReader();
  const byLife = objectOrNull(usage.cache_creation);
  const written = counts.optional(usage, 'cache_creation_input_tokens');
  const writtenHour = counts.optional(byLife, 'ephemeral_1h_input_tokens');
  const writtenShort = counts.optional(byLife, 'ephemeral_5m_input_tokens');
  const servers = objectOrNull(usage.server_tool_use);
  const own: Usage = {
    uncachedInputTokens: counts.required(usage, 'input_tokens'),
    cachedInputTokens: counts.optional(usage, 'cache_read_input_tokens'),
    cacheWriteTokens: Math.max(writtenShort, written - writtenHour),
    cacheWriteHourTokens: writtenHour,
    outputTokens,
    reasoningTokens: counts.optional(objectOrNull(usage.output_tokens_details), 'thinking_tokens'),
    hostedUses: used({
      web_search: counts.optional(servers, 'web_search_requests'),
      web_fetch: counts.optional(servers, 'web_fetch_requests'),
    }),
  };
  if (!counts.sound) return null;
  return beyondTop(own, usage.iterations);
}

const used = (uses: Record<string, number>): Record<string, number> =>
  Object.fromEntries(Object.entries(uses).filter(([, count]) => count > 0));

/** Iterations of other kinds than `message` are billed beside the totals; those of another model cannot be priced. */
function beyondTop(own: Usage, iterations: Json | undefined): Usage | null {
  if (!Array.isArray(iterations)) return own;
  let sum: Usage = own;
  for (const iteration of iterations) {
    if (!isObject(iteration) || iteration.type === 'message') continue;
    if (iteration.type !== 'compaction') return null;
    const counts = countReader();
    const extra = disjoint({ ...iteration, iterations: null }, counts.optional(iteration, 'output_tokens'));
    if (!extra || !counts.sound) return null;
    sum = add(sum, extra);
  }
  return sum;
}

const add = (a: Usage, b: Usage): Usage => ({
  uncachedInputTokens: a.uncachedInputTokens + b.uncachedInputTokens,
  cachedInputTokens: a.cachedInputTokens + b.cachedInputTokens,
  cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
  cacheWriteHourTokens: a.cacheWriteHourTokens + b.cacheWriteHourTokens,
  outputTokens: a.outputTokens + b.outputTokens,
  reasoningTokens: a.reasoningTokens + b.reasoningTokens,
  hostedUses: a.hostedUses,
});

/** What served the request, in the words `describe` uses for what was asked. */
function tierOf(usage: JsonObject): string | null {
  const speed = stringOrNull(usage.speed);
  const region = stringOrNull(usage.inference_geo);
  if (speed !== null && speed !== 'standard') return speed;
  if (region !== null && region !== 'global' && region !== 'not_available') return `inference_geo ${region}`;
  return stringOrNull(usage.service_tier);
}
