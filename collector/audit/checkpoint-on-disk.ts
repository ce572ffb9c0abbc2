// A log's last checkpoint as it lies there, whoever signed it.

import { type Checkpoint, readCheckpoint } from '../../kit/tlog/checkpoint.ts';
import type { AuditFiles } from './files.ts';
import { CHECKPOINT } from './growth.ts';

/** Its note, or null where none was written. */
export async function noteOnDisk(files: Pick<AuditFiles, 'read'>): Promise<string | null> {
  try {
    return (await files.read(CHECKPOINT)).toString();
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw failure;
  }
}

/** Throws NoteError for what is no checkpoint. */
export const checkpointIn = (note: string): Checkpoint => readCheckpoint(`${note.split('\n\n', 1)[0]}\n`);
