// Which accepted requests wait for their place in the log, and how far each segment of the queue has got. What is kept of
// a segment is the last of its requests that has a place: after a crash those behind it are read from the segment again.

import type { AcceptedRequest } from '../queue/sequencer.ts';

export interface Waiting {
  readonly segment: string;
  readonly request: AcceptedRequest;
}

/** Segment → digest, hex, of the last of its requests in the log; '' while there is none. */
export type Marks = Readonly<Record<string, string>>;

interface Progress {
  accepted: number;
  /** Given a place in the tree, which may not be on disk yet. */
  placed: number;
  /** Have a place for good. */
  kept: number;
  last: string;
  readonly read: PromiseWithResolvers<void>;
}

export interface Order {
  readonly waiting: number;
  begun(segment: string, last?: string): void;
  accepted(segment: string, requests: readonly AcceptedRequest[]): void;
  closed(segment: string): void;
  forget(segment: string): void;
  /** Resolves once the segment gets no more; at once for one that is not known. */
  whole(segment: string): Promise<void>;
  /** Every request of it that is known has a place for good. */
  isKept(segment: string): boolean;
  /** Everything that waits, in order: it is in the tree from here on. */
  take(): readonly Waiting[];
  /** As it is with everything taken. */
  marks(): Marks;
  /** What was taken before the last `marks` is on disk. */
  keep(): void;
}

export function createOrder(): Order {
  const segments = new Map<string, Progress>();
  let waiting: Waiting[] = [];
  let placed = new Map<Progress, number>();
  return {
    get waiting() {
      return waiting.length;
    },
    begun(segment, last = '') {
      segments.set(segment, { accepted: 0, placed: 0, kept: 0, last, read: Promise.withResolvers() });
    },
    accepted(segment, requests) {
      const progress = segments.get(segment);
      if (progress) progress.accepted += requests.length;
      for (const request of requests) waiting.push({ segment, request });
    },
    closed: (segment) => segments.get(segment)?.read.resolve(),
    forget: (segment) => void segments.delete(segment),
    whole: async (segment) => segments.get(segment)?.read.promise,
    isKept(segment) {
      const progress = segments.get(segment);
      return !progress || progress.kept === progress.accepted;
    },
    take() {
      const taken = waiting;
      waiting = [];
      for (const { segment, request } of taken) {
        const progress = segments.get(segment);
        if (!progress) continue;
        progress.placed += 1;
        progress.last = request.digest.toString('hex');
      }
      return taken;
    },
    marks() {
      placed = new Map([...segments.values()].map((progress) => [progress, progress.placed]));
      return Object.fromEntries([...segments].map(([segment, { last }]) => [segment, last]));
    },
    keep() {
      for (const [progress, count] of placed) progress.kept = count;
    },
  };
}

/**
 * Those of a segment's requests, in its own order, that may have no place yet. The same bytes may have come of two senders:
 * then some get a second leaf, which is no harm, and none stays without.
 */
export function unplaced(requests: readonly AcceptedRequest[], last: string): readonly AcceptedRequest[] {
  const at = last === '' ? -1 : requests.findIndex(({ digest }) => digest.toString('hex') === last);
  return requests.slice(at + 1);
}
