// The log's files on disk: `<directory>/checkpoint`, tiles and bundles under `tile/` as C2SP tlog-tiles names them, so that
// the directory can be served or copied as it is, and `marks/`, which only the next start reads.

import { dirname, join } from 'node:path';
import { type Log, sentenceOf } from '../../kit/log.ts';
import type { AuditFiles, FileBytes } from '../audit/files.ts';
import { type Disk, writeDurably } from '../queue/disk.ts';

export function auditFiles(disk: Disk, root: string, log: Log): AuditFiles {
  /** Directories that are known to be there for good. */
  const made = new Set<string>();
  /** Partial files that this life wrote and has not removed. */
  let partial = new Set<string>();

  const makeDirectory = async (path: string): Promise<void> => {
    if (made.has(path)) return;
    if (path !== '.') await makeDirectory(dirname(path));
    await disk.makeDirectory(join(root, path));
    await disk.syncDirectory(dirname(join(root, path)));
    made.add(path);
  };

  /** In the place of what is there: a checkpoint of this very size may be, whose writing failed at its last step. */
  const writeOne = async ({ path, bytes }: FileBytes): Promise<void> => {
    const directory = dirname(path);
    await makeDirectory(directory);
    await writeDurably(disk, join(root, path), join(root, directory), [bytes]);
    if (isPartial(path)) partial.add(path);
  };

  const removeOne = async (path: string): Promise<void> => {
    await disk.remove(join(root, path));
    if (!path.includes('.p/')) return;
    made.delete(dirname(path));
    await disk.removeDirectory(join(root, dirname(path)));
  };
  const notRemoved = (failure: unknown): void =>
    log.warn('audit.file_not_removed', { reason: sentenceOf(failure) });

  return {
    read: (path) => disk.read(join(root, path)),
    async write(files) {
      for (const file of files) await writeOne(file);
    },
    async replace(path, bytes) {
      await makeDirectory('.');
      await writeDurably(disk, join(root, path), root, [bytes]);
    },
    async remove(paths) {
      for (const path of paths) {
        await disk.remove(join(root, path));
        if (path.endsWith(LAST_IN_FOLDER)) await disk.removeDirectory(join(root, dirname(path)));
      }
    },
    async tidy(kept) {
      const old = [...partial].filter((path) => !kept.includes(path));
      partial = new Set(kept);
      for (const path of old) await removeOne(path).catch(notRemoved);
    },
  };
}

/** Of the thousand tiles that C2SP puts into one folder. */
const LAST_IN_FOLDER = '/999';

const isPartial = (path: string): boolean => path.includes('.p/') || path.startsWith('marks/');
