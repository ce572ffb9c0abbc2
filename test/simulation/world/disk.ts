// A disk as bad as disks are: what was not synced is lost with the power, a write may be torn in two, it may be full, a
// sync may fail. What a killed process had handed to the kernel stays.

import type { Disk, GrowingFile } from '../../../sidecar/edges/disk.ts';
import type { Life, Machine } from './machine.ts';
import type { World } from './world.ts';

export interface FakeDisk {
  /** As one process sees it: after that process's death nothing reaches the disk any more. */
  mountedBy(life: Life): Disk;
  /**
   * The machine loses its power: an unsynced tail goes, up to any byte. Says how many bytes, and since when they had
   * been written.
   */
  losePower(): { readonly bytes: number; readonly sinceMs: number };
  full: boolean;
  /** One bit of one file turns, whatever was synced. Says which; null where the disk is empty. */
  flip(): { readonly path: string; readonly at: number; readonly size: number } | null;
  /** The next sync fails, and so the file it was for is not to be trusted. */
  failNextSync: boolean;
  /** The process is killed in the middle of its next write. */
  tearNextWrite: boolean;
}

interface Content {
  /** Room for more than it holds. */
  storage: Buffer;
  size: number;
  synced: number;
  /** What was appended and not synced: where it ends, and when that was. */
  unsynced: { readonly end: number; readonly atMs: number }[];
}

const bytesOf = ({ storage, size }: Content): Buffer => storage.subarray(0, size);
const STORAGE_BYTES = 16_384;

/** Most syncs take a few milliseconds; now and then a disk is slow. */
const SYNC_MS_USUAL = 20;
const SYNC_MS_MAX = 600;

export function createDisk(world: World, machine: Machine): FakeDisk {
  const files = new Map<string, Content>();
  const random = world.random.fork();

  const failing = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code });

  const contentOf = (path: string): Content => {
    const content = files.get(path);
    if (!content) throw failing('ENOENT');
    return content;
  };

  const put = (content: Content, part: Buffer): void => {
    if (content.size + part.length > content.storage.length) {
      const larger = Buffer.allocUnsafeSlow(2 * (content.size + part.length));
      content.storage.copy(larger, 0, 0, content.size);
      content.storage = larger;
    }
    part.copy(content.storage, content.size);
    content.size += part.length;
    content.unsynced.push({ end: content.size, atMs: world.nowMs() });
  };

  const append = (life: Life, content: Content, part: Buffer): number => {
    if (!life.alive) throw failing('EIO');
    if (disk.full) throw failing('ENOSPC');
    if (disk.tearNextWrite) {
      disk.tearNextWrite = false;
      put(content, part.subarray(0, random.between(0, part.length - 1)));
      world.note(machine.name, 'is killed in the middle of a write');
      machine.kill();
      throw failing('EIO');
    }
    const written = random.chance(0.02) ? random.between(1, part.length) : part.length;
    put(content, part.subarray(0, written));
    return written;
  };

  const syncMs = (): number => random.between(0, random.chance(0.03) ? SYNC_MS_MAX : SYNC_MS_USUAL);

  const sync = (life: Life, content: Content, done: Parameters<GrowingFile['sync']>[0]): void => {
    const reached = content.size;
    const fails = disk.failNextSync;
    disk.failNextSync = false;
    world.after(syncMs(), () => {
      if (!life.alive) return;
      if (!fails) {
        content.synced = Math.max(content.synced, Math.min(reached, content.size));
        content.unsynced = content.unsynced.filter(({ end }) => end > reached);
      }
      life.deliver(() => done(fails ? failing('EIO') : null));
    });
  };

  const growing = (life: Life, content: Content): GrowingFile => ({
    size: () => content.size,
    append: (bytes, from, length) => append(life, content, bytes.subarray(from, from + length)),
    truncate(size) {
      if (!life.alive) return;
      content.size = size;
      content.synced = Math.min(content.synced, size);
    },
    sync: (done) => sync(life, content, done),
    close: () => undefined,
  });

  const disk: FakeDisk = {
    full: false,
    failNextSync: false,
    tearNextWrite: false,
    mountedBy: (life) => ({
      list: (directory) =>
        [...files.keys()]
          .filter((path) => path.startsWith(`${directory}/`))
          .map((path) => path.slice(directory.length + 1)),
      read: (path) => Buffer.from(bytesOf(contentOf(path))),
      readSlice: (path, from, length) => Buffer.from(bytesOf(contentOf(path)).subarray(from, from + length)),
      grow(path) {
        if (disk.full && !files.has(path)) throw failing('ENOSPC');
        const content = files.get(path) ?? {
          storage: Buffer.allocUnsafeSlow(STORAGE_BYTES),
          size: 0,
          synced: 0,
          unsynced: [],
        };
        files.set(path, content);
        return growing(life, content);
      },
      replace: (path, text) =>
        new Promise((resolve, reject) => {
          const full = disk.full;
          world.after(syncMs(), () => {
            if (!life.alive) return;
            const bytes = Buffer.from(text);
            if (!full)
              files.set(path, { storage: bytes, size: bytes.length, synced: bytes.length, unsynced: [] });
            life.deliver(() => (full ? reject(failing('ENOSPC')) : resolve()));
          });
        }),
      rename(from, to) {
        if (!life.alive) return;
        files.set(to, contentOf(from));
        files.delete(from);
      },
      remove: (path) => {
        if (life.alive) files.delete(path);
      },
    }),
    flip() {
      const held = [...files].filter(([, { size }]) => size > 0);
      if (held.length === 0) return null;
      const [path, content] = random.pick(held);
      const at = random.between(0, content.size - 1);
      content.storage[at]! ^= 1 << random.between(0, 7);
      return { path, at, size: content.size };
    },
    losePower() {
      let bytes = 0;
      let sinceMs = Number.POSITIVE_INFINITY;
      for (const content of files.values()) {
        const kept = random.between(content.synced, content.size);
        bytes += content.size - kept;
        sinceMs = Math.min(sinceMs, ...content.unsynced.map(({ atMs }) => atMs));
        Object.assign(content, { size: kept, synced: kept, unsynced: [] });
      }
      return { bytes, sinceMs };
    },
  };
  return disk;
}
