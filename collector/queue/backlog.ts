// The sealed segments that are not in the store yet, oldest first.

import { type Signal, signalOf } from '../signals.ts';
import type { Segment } from './loader.ts';
import { Closing } from './patience.ts';

export interface WaitingSegment extends Segment {
  /** When its first record was written, on the monotonic clock. */
  readonly sinceMs: number;
  /** An earlier life left it. */
  readonly isLeft: boolean;
}

export interface Backlog {
  readonly segments: number;
  readonly bytes: number;
  holds(signal: Signal): boolean;
  oldest(): WaitingSegment | undefined;
  push(segment: WaitingSegment): void;
  /** The oldest has landed. */
  landed(): void;
  /** Resolves when what is here now has landed; throws Closing if that is left to the next life. */
  drained(): Promise<void>;
  close(): void;
}

export function createBacklog(): Backlog {
  const waiting: { readonly segment: WaitingSegment; readonly landed: PromiseWithResolvers<void> }[] = [];
  let bytes = 0;
  return {
    get segments() {
      return waiting.length;
    },
    get bytes() {
      return bytes;
    },
    holds: (signal) => waiting.some(({ segment }) => signalOf(segment.id) === signal),
    oldest: () => waiting[0]?.segment,
    push(segment) {
      const landed = Promise.withResolvers<void>();
      landed.promise.catch(() => undefined); // whoever drains hears of it
      waiting.push({ segment, landed });
      bytes += segment.bytes;
    },
    landed() {
      const oldest = waiting.shift();
      bytes -= oldest?.segment.bytes ?? 0;
      oldest?.landed.resolve();
    },
    async drained() {
      await waiting.at(-1)?.landed.promise;
    },
    close() {
      for (const { landed } of waiting) landed.reject(new Closing('the queue closed before it was drained'));
    },
  };
}
