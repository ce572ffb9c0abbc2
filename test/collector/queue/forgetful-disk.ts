// A disk in memory that keeps after a crash what a real one promises, and of the rest whatever the seed says: a written
// tail may be there in part, a new name may be missing, a removed one back. Each life of a process sees it through its own
// record of functions; when that life ends, nothing it had begun ever continues.

import { dirname } from 'node:path';
import type { Disk, DiskFile } from '../../../collector/queue/disk.ts';
import type { Random } from './random.ts';

export type Operation =
  | 'makeDirectory'
  | 'create'
  | 'append'
  | 'datasync'
  | 'truncate'
  | 'rename'
  | 'remove'
  | 'syncDirectory'
  | 'read'
  | 'list';

interface Inode {
  bytes: Buffer;
  synced: Buffer;
  readonly isDirectory?: true;
}

export interface Life {
  readonly disk: Disk;
  /** Resolves when the life ends in the middle of an operation. */
  readonly died: Promise<void>;
  isDead(): boolean;
  die(): void;
}

export interface ForgetfulDisk {
  /** Operations so far, to tell whether anything is still going on. */
  readonly operations: number;
  /** Begins a life; `fault` may throw for an operation, or end the life before or after it. */
  live(fault: (operation: Operation) => 'die before' | 'die after' | Error | null): Life;
  /** After a power cut: what was not synced is kept or lost by `random`. */
  powerCut(random: Random): void;
  /** Every file as it is now. */
  files(): ReadonlyMap<string, Buffer>;
  /** Changes bytes behind everybody's back. */
  damage(path: string, change: (bytes: Buffer) => void): void;
}

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

export function forgetfulDisk(nowMs: () => number): ForgetfulDisk {
  let entries = new Map<string, Inode>();
  let syncedEntries = new Map<string, Inode>();
  let operations = 0;

  const need = (path: string): Inode => {
    const inode = entries.get(path);
    if (!inode) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
    return inode;
  };

  function live(fault: Parameters<ForgetfulDisk['live']>[0]): Life {
    const death = Promise.withResolvers<void>();
    let isDead = false;
    const die = () => {
      isDead = true;
      death.resolve();
    };
    const perform = async <T>(operation: Operation, effect: () => T): Promise<T> => {
      operations += 1;
      await Promise.resolve();
      if (isDead) return never();
      const what = fault(operation);
      if (what === 'die before') {
        die();
        return never();
      }
      if (what instanceof Error) throw what;
      const result = effect();
      if (what === 'die after') {
        die();
        return never();
      }
      return result;
    };

    const fileOf = (path: string, inode: Inode): DiskFile => ({
      append: (chunks) =>
        perform('append', () => {
          inode.bytes = Buffer.concat([inode.bytes, ...chunks]);
          return chunks.reduce((sum, { length }) => sum + length, 0);
        }),
      datasync: () =>
        perform('datasync', () => {
          inode.synced = inode.bytes;
        }),
      isLinked: () => Promise.resolve(entries.get(path) === inode),
      close: () => Promise.resolve(),
    });

    const disk: Disk = {
      makeDirectory: (path) =>
        perform('makeDirectory', () => {
          for (let at = path; at !== '/' && !entries.has(at); at = dirname(at))
            entries.set(at, { bytes: Buffer.alloc(0), synced: Buffer.alloc(0), isDirectory: true });
        }),
      syncDirectory: (directory) =>
        perform('syncDirectory', () => {
          const inside = (path: string) => dirname(path) === directory;
          for (const path of syncedEntries.keys()) if (inside(path)) syncedEntries.delete(path);
          for (const [path, inode] of entries) if (inside(path)) syncedEntries.set(path, inode);
        }),
      list: (directory) =>
        perform('list', () =>
          [...entries.keys()]
            .filter((path) => dirname(path) === directory)
            .map((path) => path.slice(directory.length + 1)),
        ),
      create: (path) =>
        perform('create', () => {
          if (entries.has(path)) throw new Error(`EEXIST: ${path}`);
          const inode = { bytes: Buffer.alloc(0), synced: Buffer.alloc(0) };
          entries.set(path, inode);
          return fileOf(path, inode);
        }),
      read: (path) => perform('read', () => Buffer.from(need(path).bytes)),
      measure: (path) => perform('read', () => ({ bytes: need(path).bytes.length, writtenAtMs: nowMs() })),
      truncate: (path, bytes) =>
        perform('truncate', () => {
          const inode = need(path);
          inode.bytes = inode.bytes.subarray(0, bytes);
          inode.synced = inode.bytes;
        }),
      rename: (from, to) =>
        perform('rename', () => {
          entries.set(to, need(from));
          entries.delete(from);
        }),
      remove: (path) =>
        perform('remove', () => {
          entries.delete(path);
        }),
      async removeDirectory(path) {
        if (![...entries.keys()].some((each) => dirname(each) === path)) entries.delete(path);
      },
      removeTree: (path) =>
        perform('remove', () => {
          for (const each of entries.keys())
            if (each === path || each.startsWith(`${path}/`)) entries.delete(each);
        }),
      bytesFree: () => Promise.resolve(Number.MAX_SAFE_INTEGER),
      lock: () => () => undefined,
    };
    return { disk, died: death.promise, isDead: () => isDead, die };
  }

  return {
    get operations() {
      return operations;
    },
    live,
    powerCut(random) {
      const paths = new Set([...entries.keys(), ...syncedEntries.keys()]);
      const kept = new Map<string, Inode>();
      for (const path of paths) {
        const inode = (random.chance(0.5) ? entries : syncedEntries).get(path);
        const certain = entries.get(path) === syncedEntries.get(path) ? entries.get(path) : inode;
        if (certain) kept.set(path, { ...certain });
      }
      for (const inode of kept.values()) {
        const unsynced = inode.bytes.length - inode.synced.length;
        if (unsynced > 0) {
          const reached = random.below(unsynced + 1);
          inode.bytes = Buffer.concat([inode.bytes.subarray(0, inode.synced.length + reached)]);
          if (random.chance(0.3)) inode.bytes.fill(0, inode.synced.length);
        } else inode.bytes = inode.synced;
        inode.synced = inode.bytes;
      }
      const isThere = (path: string): boolean => path === '/' || (kept.has(path) && isThere(dirname(path)));
      entries = new Map([...kept].filter(([path]) => isThere(path)));
      syncedEntries = new Map(entries);
    },
    files: () =>
      new Map(
        [...entries].filter(([, inode]) => !inode.isDirectory).map(([path, inode]) => [path, inode.bytes]),
      ),
    damage(path, change) {
      const inode = need(path);
      inode.bytes = Buffer.from(inode.bytes);
      change(inode.bytes);
      inode.synced = inode.bytes;
    },
  };
}
