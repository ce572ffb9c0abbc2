// Where a collector's logs are: each in a folder of its own, for a collector that was restored, or whose log was set back,
// begins another and keeps what it had.
//
//   <data>/collector/audit/key.pem, vkey     see audit-keys.ts
//   <data>/collector/audit/logs.json         names of the logs, the newest first
//   <data>/collector/audit/<name>/           checkpoint, tile/…, marks/…
//   <data>/collector/audit/ended             a restore was here: go on with none of them

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Log } from '../../kit/log.ts';
import type { AuditFiles } from '../audit/files.ts';
import { type Disk, makeDurably, writeDurably } from '../queue/disk.ts';
import { auditFiles } from './audit-files.ts';

const LOGS = 'logs.json';
const ENDED = 'ended';

export interface AuditDirectory {
  /** Names, the newest first. */
  readonly logs: readonly string[];
  /** Whether the newest may be gone on with at all. */
  readonly isEnded: boolean;
  filesOf(name: string): AuditFiles;
  /** Gives a new log its name, which is the newest from here on. */
  begin(): Promise<string>;
  /** Removes a log with all that is left of it. */
  remove(name: string): Promise<void>;
}

export async function openAuditDirectory(disk: Disk, path: string, log: Log): Promise<AuditDirectory> {
  await makeDurably(disk, path);
  const names = await disk.list(path);
  let logs = names.includes(LOGS) ? namesIn(await disk.read(join(path, LOGS))) : [];
  const keepNames = async (next: string[]): Promise<void> => {
    await writeDurably(disk, join(path, LOGS), path, [Buffer.from(JSON.stringify(next))]);
    logs = next;
  };
  return {
    get logs() {
      return logs;
    },
    isEnded: names.includes(ENDED),
    filesOf: (name) => auditFiles(disk, join(path, name), log),
    async begin() {
      const name = randomBytes(8).toString('hex');
      await keepNames([name, ...logs]);
      await disk.remove(join(path, ENDED));
      return name;
    },
    async remove(name) {
      await disk.removeTree(join(path, name));
      await keepNames(logs.filter((each) => each !== name));
    },
  };
}

/** Told by a restore: the log it brought was gone on with elsewhere. */
export async function endLogs(disk: Disk, path: string): Promise<void> {
  await makeDurably(disk, path);
  await writeDurably(disk, join(path, ENDED), path, [Buffer.from('restored from a backup\n')]);
}

function namesIn(text: Buffer): string[] {
  return JSON.parse(text.toString()) as string[];
}
