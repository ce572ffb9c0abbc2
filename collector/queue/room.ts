// Whether the disk has room for one more request. Asked at most once a second, and at once after a write failed.

import type { Clock } from '../../kit/clock.ts';
import { sentenceOf } from '../../kit/log.ts';
import type { Disk } from './disk.ts';

const ASK_EVERY_MS = 1_000;
/** After a write failed, how long nothing new is taken. */
const REST_MS = 250;

export interface Room {
  /** Null, or one sentence why nothing can be taken. */
  refusal(queuedBytes: number): Promise<string | null>;
  failed(failure: unknown): void;
}

export function createRoom(world: {
  readonly disk: Disk;
  readonly directory: string;
  readonly clock: Clock;
  readonly bytesFreeMin: number;
  readonly bytesMax: number;
}): Room {
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let answer: Promise<string | null> = Promise.resolve(null);
  let failure: { readonly untilMs: number; readonly sentence: string } | null = null;

  const ask = async (): Promise<string | null> => {
    try {
      const free = await world.disk.bytesFree(world.directory);
      return free < world.bytesFreeMin
        ? `the disk of the queue has ${free} bytes free; ${world.bytesFreeMin} are kept`
        : null;
    } catch (cause) {
      return `the queue's directory can't be read: ${sentenceOf(cause)}`;
    }
  };
  return {
    refusal(queuedBytes) {
      const nowMs = world.clock.monotonicMs();
      if (failure && nowMs < failure.untilMs) return Promise.resolve(failure.sentence);
      if (queuedBytes >= world.bytesMax)
        return Promise.resolve(`the queue holds ${queuedBytes} bytes; ${world.bytesMax} are its limit`);
      if (nowMs - askedAtMs >= ASK_EVERY_MS) {
        askedAtMs = nowMs;
        answer = ask();
      }
      return answer;
    },
    failed(cause) {
      askedAtMs = Number.NEGATIVE_INFINITY;
      failure = {
        untilMs: world.clock.monotonicMs() + REST_MS,
        sentence: `the queue could not be written: ${sentenceOf(cause)}`,
      };
    },
  };
}
