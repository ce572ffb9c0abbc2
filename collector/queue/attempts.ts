// How often the store may say no, and what its no means. A segment it refuses is halved at once; one in doubt after a few
// tries; a single message is tried for longer before it is set aside. Where one message after the other is refused, the
// store has changed and not the messages: then loading stops and says so, and sets only few aside until it works again.

import type { Clock } from '../../kit/clock.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import { type Signal, signalOf } from '../signals.ts';
import { isDoubt, isPartly, isRejection, type Loader, type Segment } from './loader.ts';
import type { Patience } from './patience.ts';

export interface Refusal {
  readonly reason: string;
  /** Something of it is in the store. */
  readonly partly: boolean;
  /** It may yet take it. */
  readonly inDoubt: boolean;
}

export const REFUSED_BEFORE: Refusal = { reason: 'refused before', partly: false, inDoubt: true };

export interface Attempts {
  /** Null once it landed, or why the store refused it. Throws Closing. */
  load(part: Segment): Promise<Refusal | null>;
  /** The same for what can't be halved, and was refused for `first`. */
  loadAlone(part: Segment, first: Refusal): Promise<Refusal | null>;
  /** The store refuses everything. */
  isStopped(): boolean;
}

const DOUBTS_MAX = 4;
const DOUBTS_ALONE_MAX = 8;
/** So many messages set aside with none between that landed. */
const SET_ASIDE_IN_A_ROW_MAX = 20;
/** From then on each is tried for so long. */
const STOPPED_MS_MAX = 30 * 60_000;

export interface AttemptsWorld {
  readonly loader: Loader;
  readonly patience: Patience;
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: { readonly stored: Record<Signal, number>; loads: number; retries: number };
}

export function createAttempts(world: AttemptsWorld): Attempts {
  let setAsideInARow = 0;
  let stopped = false;

  const attempt = async (part: Segment, isFinal: (failure: unknown) => boolean): Promise<Refusal | null> => {
    try {
      const { items } = await world.patience.insist(
        () => {
          world.counters.loads += 1;
          return world.loader.load(part);
        },
        (failure, nextInMs) => noteRetry(world, failure, nextInMs),
        isFinal,
      );
      world.counters.stored[signalOf(part.id)] += items;
      setAsideInARow = 0;
      return null;
    } catch (failure) {
      if (!isRejection(failure) && !isDoubt(failure)) throw failure;
      return { reason: sentenceOf(failure), partly: isPartly(failure), inDoubt: isDoubt(failure) };
    }
  };
  const untilRefused = (doubtsMax: number) => {
    let doubts = 0;
    return (failure: unknown) => isRejection(failure) || (isDoubt(failure) && ++doubts >= doubtsMax);
  };
  const whileStopped = () => {
    const untilMs = world.clock.monotonicMs() + STOPPED_MS_MAX;
    return (failure: unknown) =>
      (isRejection(failure) || isDoubt(failure)) && world.clock.monotonicMs() >= untilMs;
  };

  return {
    load: (part) => attempt(part, untilRefused(DOUBTS_MAX)),
    async loadAlone(part, first) {
      const isInRow = setAsideInARow >= SET_ASIDE_IN_A_ROW_MAX;
      if (isInRow && !stopped)
        world.log.error('queue.store_refuses_everything', { segment: part.id, reason: first.reason });
      stopped = isInRow;
      const isClear = !isInRow && !first.inDoubt;
      const isFinal = isInRow ? whileStopped() : untilRefused(DOUBTS_ALONE_MAX);
      const refusal = isClear ? first : await attempt(part, isFinal);
      stopped &&= refusal !== null;
      if (refusal !== null) setAsideInARow += 1;
      return refusal;
    },
    isStopped: () => stopped,
  };
}

function noteRetry({ counters, log }: AttemptsWorld, failure: unknown, nextInMs: number): void {
  counters.retries += 1;
  log.warn('queue.retry', { what: 'load', reason: sentenceOf(failure), nextInMs });
}
