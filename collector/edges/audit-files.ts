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

  const writeOne = async ({ path, bytes }: FileBytes): Promise<void> => {
    await makeDirectory(dirname(path));
    await disk.remove(join(root, path)); // what a life that died before its checkpoint left
    const file = await disk.create(join(root, path));
    try {
      if ((await file.append([bytes])) !== bytes.length) throw new Error(`short write to ${path}`);
      await file.datasync();
    } finally {
      await file.close();
    }
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
      const directories = new Set(files.map(({ path }) => dirname(path)));
      for (const directory of directories) await disk.syncDirectory(join(root, directory));
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
