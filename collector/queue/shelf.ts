// Taking one request: known already, no room, or written and durable. The same bytes arriving twice at once are written
// once, and both senders wait for that one write.

import type { Clock } from '../../kit/clock.ts';
import { sentenceOf } from '../../kit/log.ts';
import { isForeign } from '../senders.ts';
import type { Signal } from '../signals.ts';
import { type Digests, markOf } from './digests.ts';
import { digestOf, recordChunks } from './record.ts';
import type { Room } from './room.ts';
import type { RequestFacts } from './sequencer.ts';
import type { Writers } from './writers.ts';

export type Appended =
  /** `digest`: SHA-256 of the request. */
  | { readonly kind: 'stored'; readonly digest: Buffer }
  /** The same bytes were accepted within the last 24 hours. */
  | { readonly kind: 'duplicate'; readonly digest: Buffer }
  /** Not stored, try again later; one sentence why. */
  | { readonly kind: 'refused'; readonly reason: string };

export interface Shelf {
  append(request: Buffer, sender: string, signal: Signal, facts: RequestFacts): Promise<Appended>;
}

interface Origin {
  readonly digest: Buffer;
  readonly sender: string;
  readonly signal: Signal;
  readonly facts: RequestFacts;
}

const NANOSECONDS_PER_MS = 1_000_000n;

export function createShelf(world: {
  readonly room: Room;
  readonly writers: Writers;
  readonly digests: Digests;
  readonly clock: Clock;
  readonly counters: { appended: number; duplicates: number; refused: number };
  queuedBytes(): number;
  isClosed(): boolean;
}): Shelf {
  const inFlight = new Map<string, Promise<Appended>>();

  const write = async (
    request: Buffer,
    mark: Buffer,
    { digest, sender, signal, facts }: Origin,
  ): Promise<Appended> => {
    const refusal = await world.room.refusal(world.queuedBytes(), !isForeign(sender));
    if (refusal) return { kind: 'refused', reason: refusal };
    if (world.isClosed()) return { kind: 'refused', reason: 'the queue is closed' };
    const receivedAtMs = Math.trunc(world.clock.nowMs());
    const receivedAtUnixNano = BigInt(receivedAtMs) * NANOSECONDS_PER_MS;
    const chunks = recordChunks(request, digest, { receivedAtUnixNano, sender });
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    try {
      const accepted = { ...facts, digest, receivedAtMs, sender };
      await world.writers.of(signal).append({ chunks, bytes, mark, request: accepted });
    } catch (failure) {
      return { kind: 'refused', reason: `the queue could not be written: ${sentenceOf(failure)}` };
    }
    world.digests.add(mark, receivedAtMs);
    return { kind: 'stored', digest };
  };

  const take = async (
    request: Buffer,
    sender: string,
    signal: Signal,
    facts: RequestFacts,
  ): Promise<Appended> => {
    const digest = digestOf(request);
    const mark = markOf(digest, signal, sender);
    if (world.digests.has(mark)) return { kind: 'duplicate', digest };
    const key = mark.toString('latin1');
    const earlier = inFlight.get(key);
    if (earlier !== undefined) return asDuplicate(await earlier);
    const written = write(request, mark, { digest, sender, signal, facts });
    inFlight.set(key, written);
    return written.finally(() => inFlight.delete(key));
  };

  return {
    async append(request, sender, signal, facts) {
      const appended = await take(request, sender, signal, facts);
      if (appended.kind === 'stored') world.counters.appended += 1;
      else if (appended.kind === 'duplicate') world.counters.duplicates += 1;
      else world.counters.refused += 1;
      return appended;
    },
  };
}

function asDuplicate(earlier: Appended): Appended {
  return earlier.kind === 'stored' ? { ...earlier, kind: 'duplicate' } : earlier;
}
