// OpenAI's usage object, of chat (`prompt_tokens`) and of responses (`input_tokens`): cached and written tokens lie
// within the input count, reasoning within the output count; here they become disjoint.

import { countReader, objectOrNull } from '../counts.ts';
import type { Json } from '../dialect.ts';
import { isObject } from '../fields.ts';
import type { Usage } from '../metered.ts';

/** Null when `value` is no usage or holds nonsense. */
export function readUsage(
  value: Json | undefined,
  hostedUses: Readonly<Record<string, number>>,
): Usage | null {
  if (!isObject(value)) return null;
  const counts = countReader();
  const [input, output] = 'prompt_tokens' in value ? ['prompt', 'completion'] : ['input', 'output'];
  const inputTokens = counts.required(value, `${input}_tokens`);
  const counted = counts.optional(value, `${output}_tokens`);
  const total = counts.optional(value, 'total_tokens');
  const inputDetails = objectOrNull(value[`${input}_tokens_details`]);
  const outputDetails = objectOrNull(value[`${output}_tokens_details`]);
  const cached = Math.max(
    counts.optional(inputDetails, 'cached_tokens'),
    counts.optional(value, 'prompt_cache_hit_tokens'), // DeepSeek's own name for it
  );
  const written = counts.optional(inputDetails, 'cache_write_tokens');
  const reasoning = counts.optional(outputDetails, 'reasoning_tokens');
  if (cached + written > inputTokens) counts.refuse();
  if (!counts.sound) return null;
  return {
    uncachedInputTokens: inputTokens - cached - written,
    cachedInputTokens: cached,
    cacheWriteTokens: written,
    cacheWriteHourTokens: 0,
    // xAI and Gemini's compatible door leave reasoning out of the output count, and show it only in the total.
    outputTokens: Math.max(counted, total - inputTokens),
    reasoningTokens: reasoning,
    hostedUses,
  };
}
