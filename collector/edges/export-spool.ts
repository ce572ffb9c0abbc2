// Segments that one other backend has yet to get: second names of the queue's own files, so keeping one copies nothing.
// Bounded in bytes, and by what the queue needs of the disk: beyond that the oldest go, and are counted. The one that is
// being sent stays.

import { link, readdir, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolders } from '../../kit/folders.ts';
import { BYTES_FREE_MIN } from '../queue/queue.ts';

export const SPOOL_BYTES_MAX = 512 * 1024 ** 2;
/** The queue stops taking at half of this. */
const FREE_BYTES_MIN = 2 * BYTES_FREE_MIN;

export interface Spooled {
  readonly id: string;
  readonly path: string;
  readonly bytes: number;
}

export interface Spool {
  /** Keeps a segment that is about to be removed elsewhere; the same one again changes nothing. Answers how many old ones had to go. */
  keep(segment: { readonly id: string; readonly path: string }): Promise<{ readonly dropped: number }>;
  oldest(): Spooled | undefined;
  /** It was delivered, or never can be. */
  remove(id: string): Promise<void>;
  /** Bytes that wait. */
  readonly bytes: number;
}

/** Opens what an earlier life left in `directory`. */
export async function openSpool(
  directory: string,
  bounds: { readonly bytesMax?: number; readonly bytesFreeMin?: number } = {},
): Promise<Spool> {
  const { bytesMax = SPOOL_BYTES_MAX, bytesFreeMin = FREE_BYTES_MIN } = bounds;
  await makeFolders(directory, 0o700);
  const waiting: Spooled[] = [];
  let bytes = 0;

  const note = async (id: string) => {
    const path = join(directory, id);
    const { size } = await stat(path);
    waiting.push({ id, path, bytes: size });
    bytes += size;
  };
  // Ids sort by age.
  for (const id of (await readdir(directory)).sort()) await note(id);

  const remove = async (id: string) => {
    const at = waiting.findIndex((each) => each.id === id);
    const [segment] = at < 0 ? [] : waiting.splice(at, 1);
    if (!segment) return;
    bytes -= segment.bytes;
    await rm(segment.path, { force: true });
  };
  const room = async () => {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize < bytesFreeMin ? 0 : bytesMax;
  };

  return {
    async keep({ id, path }) {
      if (waiting.some((each) => each.id === id)) return { dropped: 0 };
      await rm(join(directory, id), { force: true });
      await link(path, join(directory, id));
      await note(id);
      const most = await room();
      let dropped = 0;
      for (; bytes > most && waiting.length > 1; dropped += 1) await remove(waiting[1]!.id);
      return { dropped };
    },
    oldest: () => waiting[0],
    remove,
    get bytes() {
      return bytes;
    },
  };
}
