// What the queue asks of a store: take a whole segment, or say why not.

export interface Segment {
  /** Names the segment for ever, and its signal (collector/signals.ts); the store's deduplication token. */
  readonly id: string;
  /** A file of varint-length-prefixed export requests, each with its receipt. */
  readonly path: string;
  readonly bytes: number;
}

export interface Loader {
  /**
   * Resolves with how many spans, log records or data points of the segment are in the store, once they are; loading the same id with the same bytes again adds nothing.
   * Throws an error with `retryable: false` (or the name SegmentRejected) if the store refused the whole segment and
   * inserted nothing of it; every other error means: unknown whether it landed, try again.
   */
  load(segment: Segment): Promise<{ readonly items: number }>;
}

export function isRejection(failure: unknown): boolean {
  if (!(failure instanceof Error)) return false;
  return failure.name === 'SegmentRejected' || ('retryable' in failure && failure.retryable === false);
}
