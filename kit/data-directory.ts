// A folder that belongs to one process at a time. The lock is a file naming its owner by pid and start time, so that a
// crashed owner's lock is taken over, and a pid that the system gave to someone else since is not mistaken for it.

import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFoldersSync } from './folders.ts';

export interface DataDirectory {
  readonly path: string;
  /** Gives the lock back; harmless when called twice. */
  release(): void;
}

/** Someone who is alive holds the folder. */
export class DataDirectoryTaken extends Error {
  override name = 'DataDirectoryTaken';
  readonly pid: number;

  constructor(path: string, pid: number) {
    super(`${path} is in use by process ${pid}: stop that one, or choose another folder with --data.`);
    this.pid = pid;
  }
}

interface Owner {
  readonly pid: number;
  /** Changes with every start of a process, also across reboots; empty where /proc is missing. */
  readonly started: string;
}

const TAKEOVERS_MAX = 8;

/** Makes the folder if need be (mode 0700) and locks it. Throws DataDirectoryTaken. */
export function openDataDirectory(path: string): DataDirectory {
  makeFoldersSync(path, 0o700);
  const lock = join(path, 'lock');
  const own = JSON.stringify({ pid: process.pid, started: startOf(process.pid) } satisfies Owner);
  acquire(path, lock, own);
  let held = true;
  return {
    path,
    release() {
      if (held && readOr(lock) === own) rmSync(lock, { force: true });
      held = false;
    },
  };
}

/** The lock appears whole or not at all: it is written beside, then linked. */
function acquire(path: string, lock: string, own: string): void {
  const draft = `${lock}.${process.pid}`;
  writeFileSync(draft, own, { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < TAKEOVERS_MAX; attempt++) {
      if (linked(draft, lock)) return;
      const found = readOr(lock);
      if (found === undefined) continue;
      const owner = ownerOf(found);
      if (owner && isAlive(owner)) throw new DataDirectoryTaken(path, owner.pid);
      setAside(lock, found);
    }
    throw new Error(`${lock} changes owner faster than it can be read: remove it if nothing uses ${path}.`);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Moves a dead owner's lock away. Two may try at once: who moved a living owner's lock instead puts it back. */
function setAside(lock: string, dead: string): void {
  const aside = `${lock}.dead.${process.pid}`;
  try {
    renameSync(lock, aside);
    if (readOr(aside) !== dead) linked(aside, lock);
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code !== 'ENOENT') throw failure;
  } finally {
    rmSync(aside, { force: true });
  }
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw failure;
  }
}

function isAlive({ pid, started }: Owner): boolean {
  try {
    process.kill(pid, 0);
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return started === startOf(pid);
}

/** Boot id and start time in clock ticks (proc(5), field 22 of stat; the name in field 2 may hold anything but its last `)`). */
function startOf(pid: number): string {
  const stat = readOr(`/proc/${pid}/stat`);
  if (stat === undefined) return '';
  const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  return `${readOr('/proc/sys/kernel/random/boot_id')?.trim() ?? ''}/${ticks}`;
}

function ownerOf(text: string): Owner | undefined {
  try {
    const { pid, started } = JSON.parse(text) as Partial<Owner>;
    return Number.isSafeInteger(pid) && pid! > 0 && typeof started === 'string'
      ? { pid: pid!, started }
      : undefined;
  } catch {
    return undefined; // not ours, or torn: no living process wrote it, for ours appear whole
  }
}

function readOr(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // absent
  }
}
