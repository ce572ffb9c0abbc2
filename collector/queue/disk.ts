// The few file-system functions the queue stands on, as a record: a test passes one that fails, tears or forgets.

import * as fs from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makeFolders } from '../../kit/folders.ts';

export interface DiskFile {
  /** Appends all of `chunks` and returns how many bytes were taken. */
  append(chunks: readonly Uint8Array[]): Promise<number>;
  datasync(): Promise<void>;
  /** False once the file was removed under us: bytes written to it would be lost with it. */
  isLinked(): Promise<boolean>;
  close(): Promise<void>;
}

export interface Disk {
  makeDirectory(path: string): Promise<void>;
  /** Makes creations, renames and removals inside durable. */
  syncDirectory(path: string): Promise<void>;
  list(path: string): Promise<string[]>;
  /** Fails if the file exists. */
  create(path: string): Promise<DiskFile>;
  read(path: string): Promise<Buffer>;
  /** Bytes, and when it was last written, milliseconds since 1970. */
  measure(path: string): Promise<{ readonly bytes: number; readonly writtenAtMs: number }>;
  /** Cuts a file to `bytes` and makes that durable. */
  truncate(path: string, bytes: number): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Removing what is not there is no error. */
  remove(path: string): Promise<void>;
  /** Removing one that is not there, or not empty, is no error. */
  removeDirectory(path: string): Promise<void>;
  /** A folder with all in it; one that is not there is no error. */
  removeTree(path: string): Promise<void>;
  bytesFree(directory: string): Promise<number>;
  /** Takes the lock, or throws. The kernel lets go of it when the process dies, however it dies. */
  lock(path: string): () => void;
}

export const nodeDisk: Disk = {
  makeDirectory: (path) => makeFolders(path, 0o700),
  async syncDirectory(path) {
    const handle = await fs.open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  list: (path) => fs.readdir(path),
  create: async (path) => diskFile(await fs.open(path, 'ax', 0o600)),
  read: (path) => fs.readFile(path),
  async measure(path) {
    const { size, mtimeMs } = await fs.stat(path);
    return { bytes: size, writtenAtMs: mtimeMs };
  },
  async truncate(path, bytes) {
    const handle = await fs.open(path, 'r+');
    try {
      await handle.truncate(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  rename: (from, to) => fs.rename(from, to),
  remove: (path) => fs.rm(path, { force: true }),
  async removeDirectory(path) {
    await fs.rmdir(path).catch((failure: NodeJS.ErrnoException) => {
      if (failure.code !== 'ENOENT' && failure.code !== 'ENOTEMPTY') throw failure;
    });
  },
  removeTree: (path) => fs.rm(path, { recursive: true, force: true }),
  async bytesFree(directory) {
    const { bavail, bsize } = await fs.statfs(directory);
    return bavail * bsize;
  },
  lock: lockFile,
};

function diskFile(handle: fs.FileHandle): DiskFile {
  return {
    append: async (chunks) => (await handle.writev(chunks as Uint8Array[])).bytesWritten,
    datasync: () => handle.datasync(),
    isLinked: async () => (await handle.stat()).nlink > 0,
    close: () => handle.close(),
  };
}

/**
 * Node has no flock, and a file with a process id in it misleads: after a crash the id may be another's, and in a
 * container every process is number 1. SQLite holds a kernel lock on its file for as long as a transaction is open.
 */
function lockFile(path: string): () => void {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    database.close();
    throw new DirectoryInUse(`another process uses ${path}`, { cause });
  }
  return () => database.close();
}

export class DirectoryInUse extends Error {
  override name = 'DirectoryInUse';
}

/**
 * So that it is there after a power cut, and what is above it: which of that is new, or was when an earlier life died over
 * it, nobody knows.
 */
export async function makeDurably(disk: Disk, path: string): Promise<void> {
  await disk.makeDirectory(path);
  for (let made = resolve(path); dirname(made) !== made; made = dirname(made))
    await disk.syncDirectory(dirname(made)).catch(unlessNotOurs);
}

/** Directories that may not be read, or can't be written, are none that we made. */
function unlessNotOurs(failure: NodeJS.ErrnoException): void {
  if (!['EACCES', 'EPERM', 'EROFS', 'EINVAL', 'ENOTSUP'].includes(failure.code ?? '')) throw failure;
}

/** Writes a whole small file so that it is there, complete, after a crash. An older one of that name is replaced. */
export async function writeDurably(
  disk: Disk,
  path: string,
  directory: string,
  chunks: readonly Uint8Array[],
): Promise<void> {
  const part = `${path}.part`;
  await disk.remove(part);
  const file = await disk.create(part);
  try {
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    if ((await file.append(chunks)) !== bytes) throw new Error(`short write to ${part}`);
    await file.datasync();
  } finally {
    await file.close();
  }
  await disk.rename(part, path);
  await disk.syncDirectory(directory);
}
