// Reading token counts out of an answer. Missing is never zero and nonsense is never a count: one bad number makes the
// whole usage unknown, and the call is then charged its reservation.

import type { Json, JsonObject } from './dialect.ts';
import { isObject } from './fields.ts';
import type { Usage } from './metered.ts';

export interface CountReader {
  /** Zero when absent or null. */
  optional(object: JsonObject | null, field: string): number;
  required(object: JsonObject, field: string): number;
  /** Marks the usage as nonsense. */
  refuse(): void;
  /** False once any number was negative, fractional, not a number, or a required one was missing. */
  readonly sound: boolean;
}

export function countReader(): CountReader {
  let sound = true;
  const count = (value: Json | undefined): number => {
    if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
    sound = false;
    return 0;
  };
  return {
    optional: (object, field) => (object?.[field] == null ? 0 : count(object[field])),
    required: (object, field) => count(object[field]),
    refuse() {
      sound = false;
    },
    get sound() {
      return sound;
    },
  };
}

export const objectOrNull = (value: Json | undefined): JsonObject | null => (isObject(value) ? value : null);
export const stringOrNull = (value: Json | undefined): string | null =>
  typeof value === 'string' ? value : null;
export const bytesOf = (value: Json | undefined): number =>
  typeof value === 'string' ? Buffer.byteLength(value) : 0;

/** Where a provider reports twice, the larger count of each class (SSE-08): a report may repeat, never shrink. */
export function larger(a: Usage | null, b: Usage): Usage {
  if (a === null || a === b) return b;
  return {
    uncachedInputTokens: Math.max(a.uncachedInputTokens, b.uncachedInputTokens),
    cachedInputTokens: Math.max(a.cachedInputTokens, b.cachedInputTokens),
    cacheWriteTokens: Math.max(a.cacheWriteTokens, b.cacheWriteTokens),
    cacheWriteHourTokens: Math.max(a.cacheWriteHourTokens, b.cacheWriteHourTokens),
    outputTokens: Math.max(a.outputTokens, b.outputTokens),
    reasoningTokens: Math.max(a.reasoningTokens, b.reasoningTokens),
    hostedUses: { ...a.hostedUses, ...b.hostedUses },
  };
}
