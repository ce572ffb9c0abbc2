// Whether a server can be counted on now, by how it answered last, and for how long it is left alone after a refusal that
// somebody has to put right: asking every few seconds with a wrong password gets the user locked out.

import type { Clock } from '../../../kit/clock.ts';
import { type Log, sentenceOf } from '../../../kit/log.ts';
import { StoreRefuses, StoreUnavailable } from '../failures.ts';

export interface Health {
  isOpen(): boolean;
  /** Runs `call` and takes note of how it ended. */
  noting<T>(call: () => Promise<T>): Promise<T>;
  /** As `noting`; after StoreRefuses the same is thrown for a minute without a call. */
  pacing<T>(call: () => Promise<T>): Promise<T>;
}

const LEFT_ALONE_MS = 60_000;

export function createHealth(server: string, { clock, log }: { clock: Clock; log: Log }): Health {
  let away = false;
  let refusal: { readonly failure: StoreRefuses; readonly untilMs: number } | null = null;

  function wentWell(): void {
    if (away) log.info('store_back', { server });
    away = false;
  }

  function failed(failure: unknown): void {
    if (failure instanceof StoreRefuses) {
      refusal = { failure, untilMs: clock.monotonicMs() + LEFT_ALONE_MS };
      log.error('store_refuses', { server, code: failure.code, reason: failure.message });
    }
    if (!(failure instanceof StoreUnavailable)) return wentWell();
    if (!away) log.error('store_lost', { server, reason: sentenceOf(failure) });
    away = true;
  }

  async function noting<T>(call: () => Promise<T>): Promise<T> {
    try {
      const result = await call();
      wentWell();
      return result;
    } catch (failure) {
      failed(failure);
      throw failure;
    }
  }

  return {
    isOpen: () => !away && refusal === null,
    noting,
    async pacing(call) {
      if (refusal && clock.monotonicMs() < refusal.untilMs) throw refusal.failure;
      const result = await noting(call);
      refusal = null;
      return result;
    },
  };
}
