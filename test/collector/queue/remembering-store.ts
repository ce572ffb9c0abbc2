// A store as the queue may expect one: a segment lands whole or not at all, once per id, and it outlives every crash.

import type { Loader, Segment } from '../../../collector/queue/loader.ts';
import { readRecords } from '../../../collector/queue/record.ts';

export interface RememberingStore extends Loader {
  /** Digests in the order they landed, hex; one that landed twice stands twice. */
  readonly landed: readonly string[];
}

export class Rejected extends Error {
  override name = 'SegmentRejected';
}

/**
 * `fault` is asked at each load: fail before it lands, after it, refuse it whole (if it can be split and never
 * landed), or not.
 * Segments holding `poison` are always refused.
 */
export function rememberingStore(
  read: (path: string) => Promise<Buffer> | Buffer,
  fault: () => 'before' | 'after' | 'reject' | null = () => null,
  poison: Buffer | null = null,
): RememberingStore {
  const landed: string[] = [];
  const known = new Map<string, string>();
  return {
    landed,
    async load(segment: Segment) {
      const when = fault();
      if (when === 'before') throw new Error('the store is away');
      const bytes = await read(segment.path);
      if (poison && bytes.includes(poison)) throw new Rejected('poison in it');
      const digests = readRecords(bytes).whole.map(({ digest }) => digest.toString('hex'));
      const before = known.get(segment.id);
      if (when === 'reject' && before === undefined && digests.length > 1) throw new Rejected('a whim');
      if (before === undefined) landed.push(...digests);
      else if (before !== digests.join()) throw new Error(`other bytes under the same id ${segment.id}`);
      known.set(segment.id, digests.join());
      if (when === 'after') throw new Error('the answer was lost');
      return { items: digests.length };
    },
  };
}
