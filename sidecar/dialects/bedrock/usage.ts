// Bedrock's usage, in its three ways of telling it: Converse's own object, an invoke's metrics in the last frame of a
// stream, an invoke's headers. In all three the input leaves out what was read from or written to a cache.

import { type CountReader, countReader } from '../counts.ts';
import type { AnswerHead, JsonObject } from '../dialect.ts';
import { isObject } from '../fields.ts';
import type { Usage } from '../metered.ts';

/** Null where it is nonsense. Cache counts have a second name, in Nova's own format and beside the first. */
export function readTokenUsage(usage: JsonObject): Usage | null {
  const counts = countReader();
  const read = either(counts, usage, 'cacheReadInputTokens', 'cacheReadInputTokenCount');
  const written = either(counts, usage, 'cacheWriteInputTokens', 'cacheWriteInputTokenCount');
  const writtenHour = writtenForAnHour(counts, usage);
  const found = disjoint(
    counts.required(usage, 'inputTokens'),
    counts.required(usage, 'outputTokens'),
    read,
    Math.max(0, written - writtenHour),
    writtenHour,
  );
  return counts.sound ? found : null;
}

/** `amazon-bedrock-invocationMetrics`. */
export function readMetrics(metrics: JsonObject): Usage | null {
  const counts = countReader();
  const found = disjoint(
    counts.required(metrics, 'inputTokenCount'),
    counts.optional(metrics, 'outputTokenCount'),
    counts.optional(metrics, 'cacheReadInputTokenCount'),
    counts.optional(metrics, 'cacheWriteInputTokenCount'),
  );
  return counts.sound ? found : null;
}

/** Null where the answer's head tells no input; an embedding has no output. */
export function readHeaders(head: AnswerHead): Usage | null {
  const input = headerCount(head, 'input');
  if (input === null) return null;
  return disjoint(
    input,
    headerCount(head, 'output') ?? 0,
    headerCount(head, 'cache-read-input') ?? 0,
    headerCount(head, 'cache-write-input') ?? 0,
  );
}

export function disjoint(
  uncachedInputTokens: number,
  outputTokens: number,
  cachedInputTokens = 0,
  cacheWriteTokens = 0,
  cacheWriteHourTokens = 0,
): Usage {
  return {
    uncachedInputTokens,
    cachedInputTokens,
    cacheWriteTokens,
    cacheWriteHourTokens,
    outputTokens,
    reasoningTokens: 0,
    hostedUses: {},
  };
}

const either = (counts: CountReader, usage: JsonObject, name: string, other: string): number =>
  Math.max(counts.optional(usage, name), counts.optional(usage, other));

/** Writes by how long they live; those of an hour cost more. */
function writtenForAnHour(counts: CountReader, { cacheDetails }: JsonObject): number {
  if (!Array.isArray(cacheDetails)) return 0;
  let tokens = 0;
  for (const detail of cacheDetails) {
    if (isObject(detail) && detail.ttl === '1h') tokens += counts.required(detail, 'inputTokens');
  }
  return tokens;
}

function headerCount(head: AnswerHead, which: string): number | null {
  const text = head.header(`x-amzn-bedrock-${which}-token-count`);
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
