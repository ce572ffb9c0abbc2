// Going on with the log on disk, or beginning another. A log is gone on with only if its checkpoint is signed by a key we
// hold, its tiles add up to that checkpoint, and nobody has seen a later one of it: else whatever was signed next could
// contradict what was signed before. A new log's first leaf names the last checkpoint of the one before.

import { hash } from 'node:crypto';
import { decodeLeaf, NO_DIGEST } from '../../contract/audit/leaf.ts';
import type { Clock } from '../../kit/clock.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import { openCheckpoint } from '../../kit/tlog/checkpoint.ts';
import { sameHash } from '../../kit/tlog/merkle.ts';
import { type NoteSigner, noteVerifier } from '../../kit/tlog/note.ts';
import { createTileTree, openTileTree } from '../../kit/tlog/tile-tree.ts';
import { bundlePath, decodeBundle, TILE_WIDTH, tilePath } from '../../kit/tlog/tiles.ts';
import type { AuditDirectory } from '../edges/audit-directory.ts';
import { checkpointIn, noteOnDisk } from './checkpoint-on-disk.ts';
import type { AuditFiles } from './files.ts';
import { marksPath } from './growth.ts';
import type { AuditLogWorld } from './log.ts';
import type { Marks } from './order.ts';

export interface OnDisk {
  readonly files: AuditFiles;
  readonly clock: Clock;
  readonly log: Log;
  /** Signers for a log of that name. */
  signers(origin: string): readonly NoteSigner[];
  /** The newest checkpoint that was told of, by the log's name. */
  newestTold(origin: string): Promise<{ readonly size: number; readonly root: string } | null>;
}

export type Opened = Omit<AuditLogWorld, 'onCheckpoint'>;

/** A log is there and can't be gone on with; the sentence says why. */
class LogBroken extends Error {
  override name = 'LogBroken';
}

export interface OpenedLog {
  readonly opened: Opened;
  /** Digest of the last checkpoint of the log before one that begins, or none. */
  readonly follows: Uint8Array;
  /** What nobody could tell from the log itself, and is on record for that. */
  readonly news: 'started' | 'key_changed' | null;
}

/** `fleet` names a log that begins. */
export async function openOrBegin(
  directory: AuditDirectory,
  world: Omit<OnDisk, 'files'>,
  fleet: string,
): Promise<OpenedLog> {
  const last = await lastLog(directory);
  if (last && !directory.isEnded) {
    try {
      const opened = await continueLog({ ...world, files: directory.filesOf(last.name) }, last.note);
      const news = isSignedBy(last.note, opened.signers) ? null : 'key_changed';
      return { opened, follows: NO_DIGEST, news };
    } catch (failure) {
      if (!(failure instanceof LogBroken)) throw failure;
      world.log.error('audit.log_ended', {
        log: last.name,
        reason: sentenceOf(failure),
        next: 'another begins',
      });
    }
  }
  const name = await directory.begin();
  const opened = beginLog({ ...world, files: directory.filesOf(name) }, originOf(fleet, name));
  const follows = last ? hash('sha256', last.note, 'buffer') : NO_DIGEST;
  return { opened, follows, news: 'started' };
}

/** By exactly these keys. */
function isSignedBy(note: string, signers: readonly NoteSigner[]): boolean {
  const lines = note.trimEnd().split('\n\n').at(-1)?.split('\n') ?? [];
  const ids = lines.map((line) => Buffer.from(line.split(' ')[2] ?? '', 'base64').toString('hex', 0, 4));
  return (
    ids.sort().join() ===
    signers
      .map(({ keyId }) => keyId)
      .sort()
      .join()
  );
}

/** The newest log that ever signed a checkpoint. */
async function lastLog(directory: AuditDirectory): Promise<{ name: string; note: string } | null> {
  for (const name of directory.logs) {
    const note = await noteOnDisk(directory.filesOf(name));
    if (note !== null) return { name, note };
  }
  return null;
}

/** The names of notes' keys hold neither space nor plus. */
const originOf = (fleet: string, name: string): string =>
  `outrider/${fleet.replace(/[^\w.-]+/g, '-') || 'fleet'}/${name}`;

/** Goes on with the log whose checkpoint is `note`. Throws LogBroken. */
async function continueLog(world: OnDisk, note: string): Promise<Opened> {
  const { files, clock, log } = world;
  const { origin, size, root } = trusted(world, note);
  const told = await world.newestTold(origin);
  if (told && (told.size > size || (told.size === size && told.root !== base64(root))))
    throw new LogBroken(`a checkpoint of ${told.size} leaves was signed and the log on disk has ${size}`);
  try {
    const tree = await openTileTree(size, (tile) => files.read(tilePath(tile)));
    if (!sameHash(tree.root(), root)) throw new Error('its tiles do not add up to its checkpoint');
    const entries = await lastEntries(files, size);
    const last = entries.at(-1) ?? (await lastOfWhole(files, size));
    const lastMs = last ? decodeLeaf(last).receivedMs : 0;
    const marks = await readMarks(files, size, log);
    const checkpoint = { origin, size, root, note, signedMs: lastMs };
    return {
      files,
      clock,
      log,
      tree,
      entries,
      origin,
      signers: world.signers(origin),
      marks,
      lastMs,
      checkpoint,
    };
  } catch (failure) {
    throw new LogBroken(sentenceOf(failure), { cause: failure });
  }
}

function beginLog({ files, clock, log, signers }: OnDisk, origin: string): Opened {
  const nothing = { entries: [], marks: {}, lastMs: 0, checkpoint: null };
  return { files, clock, log, tree: createTileTree(), origin, signers: signers(origin), ...nothing };
}

function trusted({ signers }: OnDisk, note: string) {
  try {
    const { origin } = checkpointIn(note);
    return openCheckpoint(
      note,
      signers(origin).map(({ verifierKey }) => noteVerifier(verifierKey)),
    );
  } catch (failure) {
    throw new LogBroken(sentenceOf(failure), { cause: failure });
  }
}

/** The entries behind the last whole bundle. */
async function lastEntries(files: AuditFiles, size: number): Promise<Buffer[]> {
  const width = size % TILE_WIDTH;
  if (width === 0) return [];
  return decodeBundle(await files.read(bundlePath({ index: Math.floor(size / TILE_WIDTH), width })));
}

async function lastOfWhole(files: AuditFiles, size: number): Promise<Buffer | undefined> {
  if (size === 0) return undefined;
  const path = bundlePath({ index: size / TILE_WIDTH - 1, width: TILE_WIDTH });
  return decodeBundle(await files.read(path)).at(-1);
}

/** Without them every segment that was left counts as not in the log: some of its requests get a second leaf. */
async function readMarks(files: AuditFiles, size: number, log: Log): Promise<Marks> {
  try {
    return JSON.parse((await files.read(marksPath(size))).toString()) as Marks;
  } catch (failure) {
    log.warn('audit.marks_lost', { reason: sentenceOf(failure) });
    return {};
  }
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
