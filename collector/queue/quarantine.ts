// Where bytes go that can't be loaded: kept beside their reason for a person to look at, never dropped.

import { join } from 'node:path';
import { type Disk, writeDurably } from './disk.ts';

export interface Quarantine {
  readonly count: number;
  /** Resolves once `bytes` and `reason` are durable. The same name again replaces the same bytes. */
  keep(name: string, bytes: Buffer, reason: string): Promise<void>;
  /** The same for a file that can't be read: it is moved as it is. */
  move(name: string, path: string, reason: string): Promise<void>;
}

export function createQuarantine(disk: Disk, directory: string): Quarantine {
  let count = 0;
  const explain = (name: string, reason: string) =>
    writeDurably(disk, join(directory, `${name}.reason`), directory, [Buffer.from(`${reason}\n`)]);
  return {
    get count() {
      return count;
    },
    async move(name, path, reason) {
      await explain(name, reason);
      await disk.rename(path, join(directory, `${name}.unread`));
      await disk.syncDirectory(directory);
      count += 1;
    },
    async keep(name, bytes, reason) {
      await explain(name, reason);
      await writeDurably(disk, join(directory, `${name}.message`), directory, [bytes]);
      count += 1;
    },
  };
}
