// The file of a segment. Syncs take a while, and a segment may be full while one is under way: the file is closed once the
// last has ended, never under it.

import type { GrowingFile } from './disk.ts';

type Synced = Parameters<GrowingFile['sync']>[0];

export interface SegmentFile extends GrowingFile {
  /** Nothing more is appended: syncs, closes, and says whether its bytes are on the disk. */
  retire(done: Synced): void;
}

export function segmentFile(file: GrowingFile): SegmentFile {
  let syncs = 0;
  let retired = false;
  const sync = (done: Synced): void => {
    syncs += 1;
    file.sync((failure) => {
      syncs -= 1;
      if (retired && syncs === 0) file.close();
      done(failure);
    });
  };
  return {
    size: () => file.size(),
    append: (bytes, from, length) => file.append(bytes, from, length),
    truncate: (size) => file.truncate(size),
    close: () => file.close(),
    sync,
    retire(done) {
      retired = true;
      sync(done);
    },
  };
}
