// The disk as the journal and the shipper need it: files that only grow, and small ones replaced whole. It is passed in,
// so that a simulation can lose what was not synced, tear a write in two, or be full.

import {
  closeSync,
  fdatasync,
  fstatSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A file open at its end. */
export interface GrowingFile {
  /** Bytes. */
  size(): number;
  /** Appends `bytes` from `from` on, or the first part of them: says how many. Throws when none can be written. */
  append(bytes: Buffer, from: number, length: number): number;
  truncate(size: number): void;
  /** Calls back when all that was appended before is on the disk, or may never be. */
  sync(done: (failure: NodeJS.ErrnoException | null) => void): void;
  close(): void;
}

export interface Disk {
  /** Names of a folder's files, in no order. */
  list(directory: string): string[];
  /** Throws, with `code` ENOENT, when there is no such file. */
  read(path: string): Buffer;
  /** Fewer bytes than `length` at the file's end. */
  readSlice(path: string, from: number, length: number): Buffer;
  /** Opens a file to append to, made when missing. */
  grow(path: string): GrowingFile;
  /** Replaces a small file; after a crash there is the old one or the new one, whole. */
  replace(path: string, text: string): Promise<void>;
  /** Of a file; one that has the name already is replaced. */
  rename(from: string, to: string): void;
  remove(path: string): void;
}

export const systemDisk: Disk = {
  list: (directory) => readdirSync(directory),
  read: (path) => readFileSync(path),
  readSlice,
  grow: (path) => growing(openSync(path, 'a'), dirname(path)),
  async replace(path, text) {
    const file = await open(`${path}.next`, 'w');
    try {
      await file.writeFile(text);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(`${path}.next`, path);
    await syncDirectory(dirname(path));
  },
  rename: renameSync,
  remove: (path) => unlinkSync(path),
};

/** The name of a new file is on the disk only once its directory is. */
function growing(fd: number, directory: string): GrowingFile {
  let named = false;
  return {
    size: () => fstatSync(fd).size,
    append: (bytes, from, length) => writeSync(fd, bytes, from, length),
    truncate: (size) => ftruncateSync(fd, size),
    sync(done) {
      fdatasync(fd, (failure) => {
        if (failure || named) return done(failure);
        syncDirectory(directory).then(() => {
          named = true;
          done(null);
        }, done);
      });
    },
    close: () => closeSync(fd),
  };
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function readSlice(path: string, from: number, length: number): Buffer {
  const fd = openSync(path, 'r');
  try {
    const bytes = Buffer.allocUnsafe(length);
    let read = 0;
    while (read < length) {
      const got = readSync(fd, bytes, read, length - read, from + read);
      if (got === 0) break;
      read += got;
    }
    return bytes.subarray(0, read);
  } finally {
    closeSync(fd);
  }
}
