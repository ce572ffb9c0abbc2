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
   * Resolves with how many spans, log records or data points of the segment are in the store, once they are; loading the
   * same id with the same bytes again adds nothing.
   * Throws an error with `retryable: false` or the name SegmentRejected if the store refused the segment, SegmentInDoubt if
   * it may yet take it; every other error means: unknown whether it landed, try again. `partly: true` says that something
   * of it is in the store already, so that it may only come again whole.
   */
  load(segment: Segment): Promise<{ readonly items: number }>;
  /** Takes back what other tables may have of a refused segment, before it comes again in halves under other ids. */
  takeBack?(segment: Segment): Promise<void>;
}

export function isRejection(failure: unknown): boolean {
  if (!(failure instanceof Error)) return false;
  return failure.name === 'SegmentRejected' || ('retryable' in failure && failure.retryable === false);
}

export const isDoubt = (failure: unknown): boolean =>
  failure instanceof Error && failure.name === 'SegmentInDoubt';

export const isPartly = (failure: unknown): boolean =>
  failure instanceof Error && 'partly' in failure && failure.partly === true;
