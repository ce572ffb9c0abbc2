// A process with a queue on the real disk that kills itself at the n-th of one kind of step, before it or after it. Says each
// request that it may acknowledge, a line each. The steps are of the disk and the store it is given: the queue knows nothing.
// Usage: node dying-process.ts DIRECTORY STEP N before|after FROM COUNT

import { copyFileSync, existsSync, mkdirSync, renameSync, writeSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Disk, nodeDisk } from '../../../collector/queue/disk.ts';
import type { Loader } from '../../../collector/queue/loader.ts';
import { openQueue } from '../../../collector/queue/queue.ts';
import { systemClock } from '../../../kit/clock.ts';
import { silentLog } from '../../../kit/log.ts';
import { requestOf, spanIdOf } from '../receive/otlp-messages.ts';
import { Rejected } from './remembering-store.ts';

const [directory = '', step = '', times = '1', when = 'before', from = '0', count = '0'] =
  process.argv.slice(2);
let left = Number(times);

async function at<T>(name: string, act: () => Promise<T>): Promise<T> {
  const isLast = name === step && --left === 0;
  if (isLast && when === 'before') process.kill(process.pid, 'SIGKILL');
  const result = await act();
  if (isLast) process.kill(process.pid, 'SIGKILL');
  return result;
}

const roomOf = (path: string): string => /\/(segments|manifest|quarantine)(\/|$)/.exec(path)?.[1] ?? 'queue';

/** Steps are named by what is done where: `create segments`, `datasync manifest`, … */
const disk: Disk = {
  ...nodeDisk,
  syncDirectory: (path) => at(`syncDirectory ${roomOf(path)}`, () => nodeDisk.syncDirectory(path)),
  async create(path) {
    const file = await at(`create ${roomOf(path)}`, () => nodeDisk.create(path));
    return {
      ...file,
      append: (chunks) => at(`append ${roomOf(path)}`, () => file.append(chunks)),
      datasync: () => at(`datasync ${roomOf(path)}`, () => file.datasync()),
    };
  },
  rename: (a, b) => at(`rename ${roomOf(b)}`, () => nodeDisk.rename(a, b)),
  remove: (path) => at(`remove ${roomOf(path)}`, () => nodeDisk.remove(path)),
};

/** A store of files: a segment lands whole, once; two of its messages or more it refuses whole, so that they are halved. */
const landed = join(directory, 'landed');
mkdirSync(landed, { recursive: true });
const loader: Loader = {
  load: (segment) =>
    at('load', async () => {
      const to = join(landed, segment.id);
      if (existsSync(to)) return { items: 1 };
      if (segment.bytes > 400) throw new Rejected('too large');
      copyFileSync(segment.path, `${directory}/${basename(segment.path)}.landing`);
      renameSync(`${directory}/${basename(segment.path)}.landing`, to);
      return { items: 1 };
    }),
};

const queue = await openQueue({
  directory: join(directory, 'queue'),
  loader,
  log: silentLog,
  clock: systemClock,
  loadAfterMs: 1,
  disk,
});
const numbers = Array.from({ length: Number(count) }, (_, index) => Number(from) + index);
await Promise.all(
  numbers.map(async (number) => {
    const request = requestOf([{ spanId: spanIdOf(number), name: `span ${number}` }]);
    const { kind } = await queue.append(request, 'scout/host-1');
    if (kind !== 'refused') writeSync(1, `${number}\n`);
  }),
);
await queue.drain();
await queue.close();
