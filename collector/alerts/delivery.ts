// What an answer means for a page in the outbox: done, never (the channel says the message itself is wrong), or again
// later, for a day.

import type { Answer } from './message.ts';

export type Outcome =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'failed' }
  | { readonly kind: 'again'; readonly afterMs: number };

export const GIVE_UP_AFTER_MS = 24 * 3_600_000;
const BACKOFF_MS_MIN = 1_000;
const BACKOFF_MS_MAX = 300_000;
/** A channel that wants to be left alone for longer is asked again after this. */
const RETRY_AFTER_MS_MAX = 3_600_000;
/** The message is malformed: it would be so again. A wrong key or address (401, 403, 404) may be put right meanwhile. */
const HOPELESS = new Set([400, 413, 422]);

/** `attempts` counts this one; `random` is from 0 to 1. */
export function outcomeOf(answer: Answer, attempts: number, waitedMs: number, random: number): Outcome {
  if (answer.status >= 200 && answer.status < 300) return { kind: 'delivered' };
  if (HOPELESS.has(answer.status) || waitedMs >= GIVE_UP_AFTER_MS) return { kind: 'failed' };
  const backoffMs = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** Math.min(attempts - 1, 20));
  const jittered = backoffMs * (0.5 + random / 2);
  const wantedMs = Math.min(RETRY_AFTER_MS_MAX, (answer.retryAfterSeconds ?? 0) * 1000);
  return { kind: 'again', afterMs: Math.max(jittered, wantedMs) };
}
