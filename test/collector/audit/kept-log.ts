// A log on a disk of a test's own, opened as the collector opens it; and what is on that disk, read back as a verifier would.

import { generateKeyPairSync } from 'node:crypto';
import type { AuditFiles } from '../../../collector/audit/files.ts';
import type { SignedCheckpoint } from '../../../collector/audit/growth.ts';
import { type AuditLog, runAuditLog } from '../../../collector/audit/log.ts';
import { openOrBegin } from '../../../collector/audit/open-log.ts';
import { openAuditDirectory } from '../../../collector/edges/audit-directory.ts';
import type { Disk } from '../../../collector/queue/disk.ts';
import { decodeLeaf, type Leaf } from '../../../contract/audit/leaf.ts';
import type { Clock } from '../../../kit/clock.ts';
import { type Log, silentLog } from '../../../kit/log.ts';
import { type Checkpoint, openCheckpoint } from '../../../kit/tlog/checkpoint.ts';
import { leafHash } from '../../../kit/tlog/merkle.ts';
import { noteSigner, noteVerifier } from '../../../kit/tlog/note.ts';
import { createTileTree } from '../../../kit/tlog/tile-tree.ts';
import { bundlePath, decodeBundle, TILE_WIDTH } from '../../../kit/tlog/tiles.ts';

export const AUDIT = '/audit';
const { privateKey } = generateKeyPairSync('ed25519');

export interface KeptLogOptions {
  readonly disk: Disk;
  readonly path?: string;
  readonly clock: Clock;
  readonly log?: Log;
  readonly key?: typeof privateKey;
  onCheckpoint?(checkpoint: SignedCheckpoint): void;
  newestTold?(origin: string): Promise<{ size: number; root: string } | null>;
}

export async function openLog(options: KeptLogOptions): Promise<AuditLog> {
  return (await openLogAndFiles(options)).log;
}

export async function openLogAndFiles(
  options: KeptLogOptions,
): Promise<{ readonly log: AuditLog; readonly files: AuditFiles; readonly verifierKeys: readonly string[] }> {
  const { disk, path = AUDIT, clock, log = silentLog, key = privateKey } = options;
  const directory = await openAuditDirectory(disk, path, log);
  const signers = (origin: string) => [noteSigner(origin, key)];
  const newestTold = options.newestTold ?? (async () => null);
  const { opened, follows } = await openOrBegin(directory, { clock, log, signers, newestTold }, 'fleet');
  const onCheckpoint = options.onCheckpoint ?? (() => undefined);
  const kept = await runAuditLog({ ...opened, onCheckpoint }, follows);
  const verifierKeys = opened.signers.map(({ verifierKey }) => verifierKey);
  return { log: kept, files: opened.files, verifierKeys };
}

/** Throws unless its own key signed it. */
export function opened(note: string, key = privateKey): Checkpoint {
  return openCheckpoint(note, [noteVerifier(noteSigner(note.split('\n')[0]!, key).verifierKey)]);
}

/** The leaves under a checkpoint of the newest log on disk. Throws unless they add up to its root. */
export function leavesOnDisk(files: ReadonlyMap<string, Buffer>): {
  readonly leaves: readonly Leaf[];
  readonly entries: readonly Buffer[];
  readonly checkpoint: Checkpoint;
} {
  const [name] = JSON.parse(files.get(`${AUDIT}/logs.json`)!.toString()) as string[];
  const root = `${AUDIT}/${name}`;
  const checkpoint = opened(files.get(`${root}/checkpoint`)!.toString());
  const tree = createTileTree();
  const leaves: Leaf[] = [];
  const entries: Buffer[] = [];
  for (let index = 0; index * TILE_WIDTH < checkpoint.size; index += 1) {
    const width = Math.min(TILE_WIDTH, checkpoint.size - index * TILE_WIDTH);
    for (const entry of decodeBundle(files.get(`${root}/${bundlePath({ index, width })}`)!)) {
      tree.append(leafHash(entry));
      leaves.push(decodeLeaf(entry));
      entries.push(entry);
    }
  }
  if (Buffer.compare(tree.root(), checkpoint.root) !== 0)
    throw new Error('the leaves do not add up to the root');
  return { leaves, entries, checkpoint };
}
