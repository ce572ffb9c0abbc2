// Backups as files: what a folder holds and whether that is what its manifest says. The manifest is written last and read
// first; a file that is missing, altered or not named by it makes the backup no backup.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, cp, open, readdir, readFile, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { BackupManifest } from '../../contract/backup.ts';
import { makeFolders } from '../../kit/folders.ts';

const MANIFEST = 'manifest.json';

export type FileLine = BackupManifest['files'][number];
export type Counted = (bytes: number, bytesTotal: number) => void;

/** Every file under a folder but its manifest, by path, with size and hash. */
export async function hashedFiles(folder: string, counted: Counted): Promise<readonly FileLine[]> {
  const paths = (await filesIn(folder)).filter((path) => path !== MANIFEST);
  const sizes = await Promise.all(paths.map(async (path) => (await stat(join(folder, path))).size));
  const bytesTotal = sizes.reduce((sum, size) => sum + size, 0);
  const lines: FileLine[] = [];
  let bytes = 0;
  for (const [index, path] of paths.entries()) {
    lines.push({ path, bytes: sizes[index]!, sha256: await sha256(join(folder, path)) });
    bytes += sizes[index]!;
    counted(bytes, bytesTotal);
  }
  return lines;
}

/** Every folder under one, by path. */
export async function foldersIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** On the disk when it resolves. */
export async function writeManifest(folder: string, manifest: BackupManifest): Promise<void> {
  const file = await open(join(folder, MANIFEST), 'wx', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(manifest, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Throws an Error with a sentence when there is none, or it is of a form this release does not know. */
export async function readManifest(folder: string): Promise<BackupManifest> {
  let text: string;
  try {
    text = await readFile(join(folder, MANIFEST), 'utf8');
  } catch (failure) {
    throw new Error(`${folder} holds no ${MANIFEST}: it is no backup, or one that was never finished.`, {
      cause: failure,
    });
  }
  const manifest = JSON.parse(text) as BackupManifest;
  if (manifest.format !== 1)
    throw new Error(
      `${folder} is a backup of form ${String(manifest.format)}, which this release cannot read.`,
    );
  return manifest;
}

/** Throws an Error naming the first file that is not as the manifest says. */
export async function verifyFiles(folder: string, manifest: BackupManifest, counted: Counted): Promise<void> {
  const found = new Map((await hashedFiles(folder, counted)).map((line) => [line.path, line]));
  for (const { path, bytes, sha256: expected } of manifest.files) {
    const file = found.get(path);
    if (!file) throw new Error(`${path} is missing from the backup.`);
    if (file.bytes !== bytes || file.sha256 !== expected)
      throw new Error(`${path} is not what was backed up: its hash differs.`);
    found.delete(path);
  }
  const [stranger] = found.keys();
  if (stranger !== undefined) throw new Error(`${stranger} does not belong to the backup.`);
}

/** Moves a folder to a path where there is nothing yet. Throws what the disk throws, EXDEV when it is another one. */
export async function moveFolder(from: string, to: string): Promise<void> {
  await rename(from, to);
}

/** Moves a backup; between disks it is copied, verified, and only then removed. */
export async function moveBackup(from: string, to: string, manifest: BackupManifest): Promise<void> {
  try {
    await moveFolder(from, to);
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code !== 'EXDEV') throw failure;
    await copyFolder(from, to);
    await verifyFiles(to, manifest, () => undefined);
    await removeFolder(from);
  }
}

export async function copyFolder(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true, errorOnExist: true, force: false });
}

/** One part of a backup, with the empty folders that may have been lost on its way. */
export async function copyPart(
  from: string,
  part: string,
  to: string,
  folders: readonly string[],
): Promise<void> {
  await copyFolder(join(from, part), to);
  for (const folder of folders.filter((each) => each.startsWith(`${part}/`)))
    await makeFolder(join(to, relative(part, folder)));
}

/** Keys stay: whoever has one can sign another story. Marks are of segments that a backup does not hold. */
const NOT_IN_BACKUPS = /\.pem$|\.part$|^key-path$|^[^/]+\/marks\//;

const isCheckpoint = (path: string): boolean => path.endsWith('/checkpoint');

/** Of the collector's audit logs, by path. */
export async function checkpointsIn(from: string): Promise<ReadonlyMap<string, Buffer>> {
  const paths = (await filesIn(from)).filter(isCheckpoint);
  return new Map(
    await Promise.all(paths.map(async (path) => [path, await readFile(join(from, path))] as const)),
  );
}

/**
 * The collector's audit logs while they grow, up to these checkpoints: a partial tile that goes meanwhile has become part
 * of a larger one.
 */
export async function copyLogs(
  from: string,
  to: string,
  checkpoints: ReadonlyMap<string, Buffer>,
): Promise<void> {
  await makeFolder(to);
  const paths = (await filesIn(from)).filter((path) => !NOT_IN_BACKUPS.test(path) && !isCheckpoint(path));
  for (const path of paths) {
    await makeFolder(dirname(join(to, path)));
    await copyFile(join(from, path), join(to, path)).catch((failure: NodeJS.ErrnoException) => {
      if (failure.code !== 'ENOENT') throw failure;
    });
  }
  for (const [path, note] of checkpoints) await writeFile(join(to, path), note);
}

export async function makeFolder(path: string): Promise<void> {
  await makeFolders(path, 0o700);
}

export async function removeFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}

/** True when there is nothing at `path`, or an empty folder. */
export async function isFree(path: string): Promise<boolean> {
  try {
    return (await readdir(path)).length === 0;
  } catch (failure) {
    const { code } = failure as NodeJS.ErrnoException;
    if (code === 'ENOENT') return true;
    if (code === 'ENOTDIR') return false;
    throw failure;
  }
}

export async function bytesFree(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
