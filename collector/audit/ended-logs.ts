// Logs that ended before the one in use began. Each is shown as it is until all that came to it has had its time, then it is
// dropped whole, the oldest first; a verifier does without it by the leaf that says so.
//
//   told in the log in use ─▶ control event ─▶ marked, shown no more ─▶ files removed

import { hash } from 'node:crypto';
import { logName } from '../../contract/audit/anchored.ts';
import { NoteError } from '../../kit/tlog/note.ts';
import { TILE_WIDTH } from '../../kit/tlog/tiles.ts';
import type { AuditDirectory } from '../edges/audit-directory.ts';
import { checkpointIn, noteOnDisk } from './checkpoint-on-disk.ts';
import type { AuditFiles } from './files.ts';
import type { AuditLog } from './log.ts';
import { firstKeptMs } from './proofs.ts';
import { type Pruning, readPruned } from './pruning.ts';

export interface EndedLog {
  readonly name: string;
  readonly files: AuditFiles;
  /** Its last checkpoint, as it lies there. */
  readonly note: string;
  /** Leaves under it, and their root in base64; 0 and none where it was damaged and reads as no checkpoint. */
  readonly size: number;
  readonly root: string;
  /** The lowest index whose entry is kept. */
  readonly minimumIndex: number;
}

export interface EndedLogs {
  /** The oldest first. */
  all(): readonly EndedLog[];
  /** Drops those that ended before a time, in milliseconds since 1970. Throws what the disk throws; another run goes on. */
  dropBefore(beforeMs: number): Promise<void>;
}

export interface EndedLogsWorld {
  readonly directory: Pick<AuditDirectory, 'logs' | 'filesOf' | 'remove'>;
  /** The log in use. */
  readonly audit: Pick<AuditLog, 'checkpoint' | 'saysDropped'>;
  readonly files: AuditFiles;
  readonly pruning: Pick<Pruning, 'minimumIndex'>;
  /** On record before anything goes. */
  note(log: EndedLog, checkpoint: string, beforeMs: number): Promise<void>;
}

/** In a log's folder: it was dropped, and may still be going. */
const DROPPED = 'dropped';

export async function openEndedLogs(world: EndedLogsWorld): Promise<EndedLogs> {
  const { directory, audit, note } = world;
  const inUse = logName(audit.checkpoint().origin);
  let going: string[] = [];
  let logs: EndedLog[] = [];
  for (const name of directory.logs.filter((each) => each !== inUse).toReversed()) {
    const files = directory.filesOf(name);
    if (await isDropped(files)) going.push(name);
    else logs.push(...(await endedLog(name, files)));
  }

  /** When the one after it began; where that one is damaged, the one after that. */
  const followedMs = async (): Promise<number> => {
    for (const { files, minimumIndex: from, size } of logs.slice(1)) {
      const began = await firstKeptMs(files, { from, size }).catch(() => null);
      if (began !== null) return began;
    }
    return firstKeptMs(world.files, { from: world.pruning.minimumIndex(), size: audit.checkpoint().size });
  };
  const drop = async (log: EndedLog, beforeMs: number): Promise<void> => {
    const digest = hash('sha256', log.note, 'buffer');
    await audit.saysDropped(digest);
    await note(log, digest.toString('hex'), beforeMs);
    await log.files.replace(DROPPED, Buffer.from(`${digest.toString('hex')}\n`));
    going.push(log.name);
    logs = logs.filter((each) => each !== log);
  };
  const remove = async (): Promise<void> => {
    for (const name of going) await directory.remove(name);
    going = [];
  };

  return {
    all: () => logs,
    async dropBefore(beforeMs) {
      await remove();
      for (let log = logs[0]; log && (await followedMs()) < beforeMs; log = logs[0])
        await drop(log, beforeMs);
      await remove();
    },
  };
}

async function isDropped(files: AuditFiles): Promise<boolean> {
  try {
    await files.read(DROPPED);
    return true;
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw failure;
  }
}

/** Nothing of one that never signed a checkpoint. */
async function endedLog(name: string, files: AuditFiles): Promise<EndedLog[]> {
  const note = await noteOnDisk(files);
  if (note === null) return [];
  const { size, root } = contentsOf(note);
  const minimumIndex = Math.min(await prunedTo(files), size - (size % TILE_WIDTH));
  return [{ name, files, note, size, root, minimumIndex }];
}

/** Of one that is damaged too: it keeps no collector from its start. */
async function prunedTo(files: AuditFiles): Promise<number> {
  try {
    return (await readPruned(files)).minimum_index;
  } catch (failure) {
    if (!(failure instanceof SyntaxError)) throw failure;
    return 0;
  }
}

/** What is damaged is shown as it is: a verifier names it, and the collector goes on with the log after it. */
function contentsOf(note: string): Pick<EndedLog, 'size' | 'root'> {
  try {
    const { size, root } = checkpointIn(note);
    return { size, root: Buffer.from(root).toString('base64') };
  } catch (failure) {
    if (!(failure instanceof NoteError)) throw failure;
    return { size: 0, root: '' };
  }
}
