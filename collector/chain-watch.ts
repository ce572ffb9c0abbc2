// Watches the sidecars' chains as their records come in: each request names the links it holds, and a link that came
// before comes again only when something is wrong. Two machines from one image, or one put back to an earlier state, seal
// the same numbers with other hashes. The store is asked before anything is said; then it is on record, and whoever
// seals that stream is told to begin another.

import { type ChainRange, parseChainRanges } from '../contract/chain-ranges.ts';
import type { ControlEvent } from '../contract/control-event.ts';
import type { Clock } from '../kit/clock.ts';
import { type Log, sentenceOf } from '../kit/log.ts';

export interface ChainWatch {
  /** A request was stored: the texts in which an authenticated sender says which links it holds. */
  heard(texts: readonly string[]): void;
  /** Two records of this stream have one number: whoever seals it must begin another. */
  isForked(stream: string): boolean;
  close(): void;
}

export interface ChainWatchOptions {
  /** How many numbers of a stream between two, both included, have records with different hashes. */
  twofold(range: ChainRange): Promise<number>;
  note(event: ControlEvent, nowMs: number): Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

/** What came of a stream: up to which link, and which before it are still to come. */
interface Known {
  last: number;
  holes: { readonly first: number; readonly last: number }[];
}

const STREAMS_MAX = 20_000;
const HOLES_MAX = 64;
/** The queue loads what it took within seconds; where it is behind, the last question comes two minutes later. */
const ASK_AFTER_MS = 2_000;
const ASKED_TIMES = 6;

export function createChainWatch({ twofold, note, clock, log }: ChainWatchOptions): ChainWatch {
  const streams = new Map<string, Known>();
  const forked = new Set<string>();
  const asked = new Map<string, () => void>();

  /** Asks a few times, for what was taken may not be loaded yet. */
  const ask = (range: ChainRange, timesLeft: number): void => {
    const { stream } = range;
    const again = async (): Promise<void> => {
      asked.delete(stream);
      const links = await twofold(range);
      if (links > 0) await say(range, links);
      else if (timesLeft > 1) ask(range, timesLeft - 1);
    };
    const cancel = clock.after(ASK_AFTER_MS * 2 ** (ASKED_TIMES - timesLeft), () => {
      again().catch((failure: unknown) => {
        log.warn('chain.not_checked', { stream, failure: sentenceOf(failure) });
        if (timesLeft > 1) ask(range, timesLeft - 1);
      });
    });
    asked.set(stream, cancel);
  };

  const say = async ({ stream, first, last }: ChainRange, links: number): Promise<void> => {
    if (forked.has(stream)) return;
    log.error('chain.forked', { stream, first, last, links });
    await note(
      {
        event: 'chain_forked',
        actor: 'collector',
        agent: stream.split('/', 1)[0]!,
        reason: 'two records of one stream have the same number',
        details: { stream, first, last, links },
      },
      clock.nowMs(),
    );
    put(forked, stream);
  };

  return {
    heard(texts) {
      for (const range of texts.flatMap((text) => parseChainRanges(text) ?? [])) {
        const { stream } = range;
        const known = streams.get(stream);
        streams.delete(stream);
        streams.set(stream, known ?? { last: range.last, holes: [] });
        if (streams.size > STREAMS_MAX) streams.delete(streams.keys().next().value!);
        if (known && !isNew(known, range) && !forked.has(stream) && !asked.has(stream))
          ask(range, ASKED_TIMES);
      }
    },
    isForked: (stream) => forked.has(stream),
    close() {
      for (const cancel of asked.values()) cancel();
    },
  };
}

/** Takes a range in; false when a link of it came before. */
function isNew(known: Known, { first, last }: ChainRange): boolean {
  if (first > known.last) {
    if (first > known.last + 1) known.holes.push({ first: known.last + 1, last: first - 1 });
    known.holes = known.holes.slice(-HOLES_MAX);
    known.last = last;
    return true;
  }
  const hole = known.holes.find((each) => each.first <= first && last <= each.last);
  if (!hole) {
    known.last = Math.max(known.last, last);
    return false;
  }
  const left = [
    { first: hole.first, last: first - 1 },
    { first: last + 1, last: hole.last },
  ].filter((part) => part.first <= part.last);
  known.holes = [...known.holes.filter((each) => each !== hole), ...left];
  return true;
}

function put(set: Set<string>, stream: string): void {
  set.add(stream);
  if (set.size > STREAMS_MAX) set.delete(set.values().next().value!);
}
