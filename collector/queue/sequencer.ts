// Who puts the requests of all writers into one order, and keeps it: the audit log. The queue tells it of every request as
// it becomes durable, and lets no segment go before what it holds has its place in that order. After a crash the segments
// that were left are told again; which of their requests have their place already is the sequencer's to know.

import { type Signal, signalOf } from '../signals.ts';
import { isUnreadable } from './damage.ts';
import type { Disk } from './disk.ts';
import { readRecords, senderIn } from './record.ts';
import type { LeftSegment } from './recover.ts';

/** What the door saw in a request. */
export interface RequestFacts {
  /** Spans, log records or data points. */
  readonly items: number;
  /** What its resources say of the links of chains they hold, see contract/chain-ranges.ts. */
  readonly chains: readonly string[];
}

export interface AcceptedRequest extends RequestFacts {
  /** SHA-256 of the request's bytes. */
  readonly digest: Buffer;
  readonly receivedAtMs: number;
  /** '' when nobody authenticated. */
  readonly sender: string;
}

/** A segment of an earlier life; its requests are read when they are asked for, oldest first. */
export interface LeftRequests {
  readonly id: string;
  requests(): Promise<readonly AcceptedRequest[]>;
}

export interface Sequencer {
  /** A segment has its number, and gets its first request soon; numbers only grow. */
  begun(segmentId: string): void;
  /** These are durable, in this order, and about to be acknowledged. */
  accepted(segmentId: string, requests: readonly AcceptedRequest[]): void;
  /** The segment gets no more. */
  closed(segmentId: string): void;
  /** Once, at the start: what an earlier life left, oldest first. */
  resume(left: readonly LeftRequests[]): void;
  /** Resolves once every request of the segment has its place for good; throws when it can't get it now. */
  sequenced(segmentId: string): Promise<void>;
  /** The queue has noted that every request of the segment has its place, and never tells of it again. */
  forget(segmentId: string): void;
}

/** Keeps no order at all. */
export const noSequencer: Sequencer = {
  begun: () => undefined,
  accepted: () => undefined,
  closed: () => undefined,
  resume: () => undefined,
  sequenced: () => Promise.resolve(),
  forget: () => undefined,
};

export type LookInto = (signal: Signal, request: Buffer) => RequestFacts;

const NANOSECONDS_PER_MS = 1_000_000n;

export function leftRequests(
  disk: Disk,
  left: readonly LeftSegment[],
  lookInto: LookInto,
): readonly LeftRequests[] {
  return left.map(({ id, path }) => ({
    id,
    requests: async () => acceptedIn(await whatIsLeft(disk, path), signalOf(id), lookInto),
  }));
}

/** Nothing of a segment that somebody removed, or that the disk no longer gives back: that is told elsewhere. */
async function whatIsLeft(disk: Disk, path: string): Promise<Buffer> {
  try {
    return await disk.read(path);
  } catch (failure) {
    const isGone = failure instanceof Error && 'code' in failure && failure.code === 'ENOENT';
    if (!isGone && !isUnreadable(failure)) throw failure;
    return Buffer.alloc(0);
  }
}

function acceptedIn(segment: Buffer, signal: Signal, lookInto: LookInto): AcceptedRequest[] {
  return readRecords(segment).whole.map((record) => {
    const { receivedAtUnixNano, sender } = senderIn(segment, record);
    return {
      ...lookInto(signal, segment.subarray(record.request.start, record.request.end)),
      digest: record.digest,
      receivedAtMs: Number(receivedAtUnixNano / NANOSECONDS_PER_MS),
      sender,
    };
  });
}
