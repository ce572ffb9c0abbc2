// The active segment and who waits for it. One group at a time is written and fsynced; whoever comes meanwhile is the next
// group, so the slower the disk, the larger the groups. Nobody is answered before the fsync of their group.
//
//   append ──▶ waiting ──group──▶ active segment ──full, or old enough──▶ sealed
//                                     └─ any error: cut back to what was durable, seal, begin a new file
//
// After a failed fsync the kernel may call lost pages clean, so a second fsync on that file would prove nothing.

import { join } from 'node:path';
import type { Disk, DiskFile } from './disk.ts';
import type { AcceptedRequest, Sequencer } from './sequencer.ts';

const GROUP_RECORDS_MAX = 256;

export interface Entry {
  readonly chunks: readonly Uint8Array[];
  readonly bytes: number;
  /** By which the same request is known again. */
  readonly mark: Buffer;
  readonly request: AcceptedRequest;
}

export interface ClosedSegment {
  readonly id: string;
  readonly path: string;
  /** What was acknowledged; a file that could not be cut back is longer. */
  readonly bytes: number;
  /** The marks of its requests. */
  readonly marks: readonly Buffer[];
}

export interface Writer {
  /** Resolves once the record is durable; throws if it is not, and then it never will be. */
  append(entry: Entry): Promise<void>;
  /** Closes the active segment, once the groups before are durable. */
  seal(): Promise<void>;
  /** Bytes and age of the active segment, or null if nothing is in it. */
  active(): { readonly bytes: number; readonly sinceMs: number } | null;
}

interface Waiting {
  readonly entry: Entry;
  readonly resolve: () => void;
  readonly reject: (failure: unknown) => void;
}

interface Active {
  readonly id: string;
  readonly path: string;
  readonly file: DiskFile;
  readonly sinceMs: number;
  bytes: number;
  marks: Buffer[];
}

export function createWriter(world: {
  readonly directory: string;
  readonly disk: Disk;
  readonly segmentBytesMax: number;
  nowMs(): number;
  nextId(): string;
  readonly sequencer: Pick<Sequencer, 'begun' | 'accepted' | 'closed'>;
  /** Called when a segment got its first durable record. */
  onBegun(): void;
  /** `sinceMs`: when its first record was written. */
  onSealed(segment: ClosedSegment, sinceMs: number): void;
  onFailure(failure: unknown): void;
}): Writer {
  let waiting: Waiting[] = [];
  let active: Active | null = null;
  let lastAppend: Promise<void> = Promise.resolve();
  let sealing: PromiseWithResolvers<void> | null = null;
  let isRunning = false;

  const begin = async (): Promise<Active> => {
    const id = world.nextId();
    const path = join(world.directory, `${id}.segment`);
    world.sequencer.begun(id);
    const file = await world.disk.create(path).catch((failure: unknown) => {
      world.sequencer.closed(id);
      throw failure;
    });
    active = { id, path, file, sinceMs: world.nowMs(), bytes: 0, marks: [] };
    await world.disk.syncDirectory(world.directory);
    return active;
  };

  const removed = (path: string): Promise<boolean> =>
    world.disk.remove(path).then(
      () => true,
      (failure: unknown) => {
        world.onFailure(failure);
        return false;
      },
    );

  const close = async (): Promise<void> => {
    const closing = active;
    active = null;
    if (!closing) return;
    await closing.file.close().catch(world.onFailure);
    const { id, path, bytes, marks, sinceMs } = closing;
    world.sequencer.closed(id);
    const isGone = bytes === 0 && (await removed(path));
    if (!isGone) world.onSealed({ id, path, bytes, marks }, sinceMs); // empty: removed in its turn, until that works
  };

  const abandon = async (failure: unknown): Promise<void> => {
    world.onFailure(failure);
    if (active) await world.disk.truncate(active.path, active.bytes).catch(world.onFailure);
    await close();
  };

  const commit = async (group: readonly Waiting[]): Promise<void> => {
    try {
      const segment = active ?? (await begin());
      const bytes = group.reduce((sum, { entry }) => sum + entry.bytes, 0);
      const taken = await segment.file.append(group.flatMap(({ entry }) => entry.chunks));
      if (taken !== bytes) throw new Error('short write: the disk is full');
      await segment.file.datasync();
      if (!(await segment.file.isLinked())) throw new Error('the segment was removed while it was written');
      const isFirst = segment.bytes === 0;
      segment.bytes += bytes;
      world.sequencer.accepted(
        segment.id,
        group.map(({ entry }) => entry.request),
      );
      for (const { entry, resolve } of group) {
        segment.marks.push(entry.mark);
        resolve();
      }
      if (isFirst) world.onBegun();
    } catch (failure) {
      await abandon(failure);
      for (const { reject } of group) reject(failure);
    }
  };

  const run = async (): Promise<void> => {
    while (waiting.length > 0 || sealing) {
      const count = fitting(waiting, world.segmentBytesMax - (active?.bytes ?? 0));
      if (sealing || (active && count === 0)) {
        await close();
        sealing?.resolve();
        sealing = null;
        continue;
      }
      const group = waiting.slice(0, Math.max(count, 1));
      waiting = waiting.slice(group.length);
      await commit(group);
      if (active && active.bytes >= world.segmentBytesMax) await close();
    }
  };

  const kick = (): void => {
    if (isRunning) return;
    isRunning = true;
    run()
      .catch(world.onFailure)
      .finally(() => {
        isRunning = false;
        if (waiting.length > 0 || sealing) kick();
      });
  };

  return {
    append(entry) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      waiting.push({ entry, resolve, reject });
      lastAppend = promise.catch(() => undefined);
      kick();
      return promise;
    },
    async seal() {
      await lastAppend;
      sealing ??= Promise.withResolvers();
      const sealed = sealing.promise;
      kick();
      await sealed;
    },
    active: () => (active && active.bytes > 0 ? { bytes: active.bytes, sinceMs: active.sinceMs } : null),
  };
}

/** How many of those who wait fit into `room` bytes; 0 if not even the first does. */
function fitting(waiting: readonly Waiting[], room: number): number {
  let bytes = 0;
  for (const [index, { entry }] of waiting.entries()) {
    bytes += entry.bytes;
    if (bytes > room || index === GROUP_RECORDS_MAX) return index;
  }
  return waiting.length;
}
