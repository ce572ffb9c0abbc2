import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DirectoryInUse, nodeDisk } from '../../../collector/queue/disk.ts';
import { openQueue, type Queue, type QueueOptions } from '../../../collector/queue/queue.ts';
import { digestOf, readRecords } from '../../../collector/queue/record.ts';
import { systemClock } from '../../../kit/clock.ts';
import { silentLog } from '../../../kit/log.ts';
import { requestOf, spanIdOf } from '../receive/otlp-messages.ts';
import { Rejected, rememberingStore } from './remembering-store.ts';

const OUT_OF_REACH = { load: () => Promise.reject(new Error('the store is away')) };

let directory: string;
let queues: Queue[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'outrider-queue-'));
  queues = [];
});
afterEach(async () => {
  for (const queue of queues) await queue.close();
  rmSync(directory, { recursive: true, force: true });
});

async function open(options: Partial<QueueOptions> = {}): Promise<Queue> {
  const loader = rememberingStore(readFileSync);
  const queue = await openQueue({ directory, loader, log: silentLog, clock: systemClock, ...options });
  queues.push(queue);
  return queue;
}

/** Closes as the next life would find things after a clean stop. */
async function close(queue: Queue): Promise<void> {
  queues = queues.filter((each) => each !== queue);
  await queue.close();
}

const request = (number: number) => requestOf([{ spanId: spanIdOf(number), name: `span ${number}` }]);
const digests = (...numbers: number[]) => numbers.map((each) => digestOf(request(each)).toString('hex'));
const segmentFiles = () => readdirSync(join(directory, 'segments')).sort();
const onlySegment = () => join(directory, 'segments', segmentFiles()[0]!);
const quarantined = () => readdirSync(join(directory, 'quarantine')).sort();

describe('taking and loading', () => {
  it('loads what was appended, in order, and leaves nothing behind', async () => {
    const loader = rememberingStore(readFileSync);
    const queue = await open({ loader });
    for (let number = 0; number < 20; number += 1)
      expect(await queue.append(request(number), 'scout')).toMatchObject({ kind: 'stored' });
    await queue.drain();
    expect(loader.landed).toEqual(digests(...Array.from({ length: 20 }, (_, index) => index)));
    expect(segmentFiles()).toEqual([]);
    expect(queue.depth()).toEqual({ segments: 0, bytes: 0, oldestMs: 0 });
  });

  it('appends the receipt to the very bytes it was given', async () => {
    const queue = await open({ loader: OUT_OF_REACH });
    await queue.append(request(1), 'trend-scout/host-1');
    await close(queue);
    const segment = readFileSync(onlySegment());
    expect(segment.subarray(1 + (segment[0]! >> 7), 1 + (segment[0]! >> 7) + request(1).length)).toEqual(
      request(1),
    );
    expect(segment.includes('trend-scout/host-1')).toBe(true);
  });

  it('seals at the size, so that a store that was away gets few, full segments', async () => {
    let segments = 0;
    let isAway = true;
    const store = rememberingStore(readFileSync);
    const loader: QueueOptions['loader'] = {
      load(segment) {
        if (isAway) return Promise.reject(new Error('away'));
        segments += 1;
        return store.load(segment);
      },
    };
    const queue = await open({ loader, segmentBytesMax: 2_000, loadAfterMs: 1 });
    for (let number = 0; number < 40; number += 1) await queue.append(request(number), '');
    expect(queue.depth().segments).toBeLessThanOrEqual(6);
    isAway = false;
    await queue.drain();
    expect(segments).toBeLessThanOrEqual(6);
    expect(store.landed.length).toBe(40);
  });

  it('takes a request larger than a segment', async () => {
    const loader = rememberingStore(readFileSync);
    const queue = await open({ loader, segmentBytesMax: 100 });
    await Promise.all([1, 2, 3].map((number) => queue.append(request(number), '')));
    await queue.drain();
    expect(loader.landed).toEqual(digests(1, 2, 3));
  });
});

describe('the same bytes again', () => {
  it('are stored once: at the same moment, later, after loading, after a restart', async () => {
    const loader = rememberingStore(readFileSync);
    const queue = await open({ loader });
    const both = await Promise.all([queue.append(request(1), ''), queue.append(request(1), '')]);
    expect(both.map(({ kind }) => kind)).toEqual(['stored', 'duplicate']);
    expect((await queue.append(request(1), '')).kind).toBe('duplicate');
    await queue.drain();
    expect((await queue.append(request(1), '')).kind).toBe('duplicate');
    await close(queue);
    const next = await open({ loader });
    expect((await next.append(request(1), '')).kind).toBe('duplicate');
    await next.drain();
    expect(loader.landed).toEqual(digests(1));
  });

  it('are not the same from nobody, from another sender, or as another signal', async () => {
    const loader = rememberingStore(readFileSync);
    const queue = await open({ loader });
    const kinds = [];
    for (const sender of ['', 'scout/host-1', 'pr-1/host-2', 'scout/host-1', ''])
      kinds.push((await queue.append(request(1), sender)).kind);
    kinds.push((await queue.append(request(1), '', 'logs')).kind);
    expect(kinds).toEqual(['stored', 'stored', 'stored', 'duplicate', 'duplicate', 'stored']);
    await close(queue);
    for (const name of readdirSync(join(directory, 'manifest'))) rmSync(join(directory, 'manifest', name));
    const next = await open({ loader }); // what it scans it knows again
    expect((await next.append(request(1), 'pr-1/host-2')).kind).toBe('duplicate');
    await next.drain();
    expect(loader.landed).toEqual(digests(1, 1, 1, 1));
  });

  it('are stored again after more than a day', async () => {
    const dayLater = { ...systemClock, nowMs: () => systemClock.nowMs() + 26 * 3_600_000 };
    const queue = await open();
    await queue.append(request(1), '');
    await queue.drain();
    await close(queue);
    const next = await open({ clock: dayLater });
    expect((await next.append(request(2), '')).kind).toBe('stored');
    await next.drain();
    expect((await next.append(request(1), '')).kind).toBe('stored');
  });
});

describe('a message the store cannot take', () => {
  it('is found by halving and set aside with the reason; the others land in order', async () => {
    const poison = Buffer.from('span 5');
    const loader = rememberingStore(readFileSync, () => null, poison);
    const queue = await open({ loader });
    await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map((number) => queue.append(request(number), '')));
    await queue.drain();
    expect(loader.landed).toEqual(digests(0, 1, 2, 3, 4, 6, 7));
    const [message, reason] = quarantined();
    expect(readFileSync(join(directory, 'quarantine', reason!), 'utf8')).toBe('poison in it\n');
    const kept = readFileSync(join(directory, 'quarantine', message!));
    expect(readRecords(kept).whole.map(({ digest }) => digest.toString('hex'))).toEqual(digests(5));
    expect(queue.counters).toMatchObject({ quarantined: 1, loads: 7 });
    expect(segmentFiles()).toEqual([]);
  });

  it('never blocks: a store that refuses everything leaves everything in quarantine', async () => {
    const queue = await open({ loader: { load: () => Promise.reject(new Rejected('no such table')) } });
    await Promise.all([1, 2, 3].map((number) => queue.append(request(number), '')));
    await queue.drain();
    expect(quarantined().filter((name) => name.endsWith('.message')).length).toBe(3);
  });
});

describe('what an earlier life left', () => {
  it('is cut back to the last whole record, wherever the write was torn', async () => {
    const queue = await open({ loader: OUT_OF_REACH });
    for (const number of [1, 2, 3]) await queue.append(request(number), 'scout');
    await close(queue);
    const name = segmentFiles()[0]!;
    const whole = readFileSync(onlySegment());
    const ends = readRecords(whole).whole.map(({ end }) => end);
    for (let length = 1; length < whole.length; length += 7) {
      rmSync(directory, { recursive: true });
      await nodeDisk.makeDirectory(join(directory, 'segments'));
      writeFileSync(join(directory, 'segments', name), whole.subarray(0, length));
      const loader = rememberingStore(readFileSync);
      const next = await open({ loader });
      await next.drain();
      expect(loader.landed).toEqual(digests(1, 2, 3).slice(0, ends.filter((end) => end <= length).length));
      expect(quarantined()).toEqual([]);
      await close(next);
    }
  });

  it('COL-05: and was damaged since is set aside, the rest loaded, at whichever byte', async () => {
    const queue = await open({ loader: OUT_OF_REACH });
    for (const number of [1, 2, 3]) await queue.append(request(number), 'scout');
    await close(queue);
    const [name, whole, manifest] = [segmentFiles()[0]!, readFileSync(onlySegment()), keepManifest()];
    const middle = readRecords(whole).whole[1]!;
    for (let at = middle.start; at < middle.end; at += 5) {
      manifest.restore();
      const damaged = Buffer.from(whole);
      damaged[at]! ^= 0x10;
      writeFileSync(join(directory, 'segments', name), damaged);
      const loader = rememberingStore(readFileSync);
      const next = await open({ loader });
      await next.drain();
      expect(loader.landed, `byte ${at}`).toEqual(digests(1, 3));
      expect(quarantined().length).toBe(2);
      expect(next.counters.quarantined).toBe(1);
      await close(next);
    }
  });

  it('and someone removed since is counted as lost, and blocks nothing', async () => {
    const queue = await open({ loader: OUT_OF_REACH, segmentBytesMax: 100 });
    for (const number of [1, 2]) await queue.append(request(number), '');
    rmSync(onlySegment());
    await close(queue);
    const loader = rememberingStore(readFileSync);
    const next = await open({ loader });
    await next.drain();
    expect(loader.landed).toEqual(digests(2));
  });

  it('is loaded under the id it had', async () => {
    const ids: string[] = [];
    const loader = {
      load(segment: { id: string }) {
        ids.push(segment.id);
        return Promise.reject(new Error('away'));
      },
    };
    const queue = await open({ loader, loadAfterMs: 1 });
    await queue.append(request(1), '');
    const drained = queue.drain();
    drained.catch(() => undefined);
    while (ids.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await close(queue);
    await expect(drained).rejects.toThrow('closed before it was drained');
    const loaded: string[] = [];
    const next = await open({ loader: { load: async ({ id }) => ({ items: loaded.push(id) }) } });
    await next.drain();
    expect(loaded).toEqual([ids[0]]);
  });
});

describe('what was loaded in halves, and lies there a day later', () => {
  it('is still only removed, though the first start after it fails at that', async () => {
    const store = rememberingStore(readFileSync);
    let isWhole = true;
    const loader: QueueOptions['loader'] = {
      load(segment) {
        if (!isWhole) return store.load(segment);
        isWhole = false;
        return Promise.reject(new Rejected('too much at once'));
      },
    };
    const stuck = {
      ...nodeDisk,
      remove: (path: string) =>
        path.endsWith('.segment') ? Promise.reject(new Error('not now')) : nodeDisk.remove(path),
    };
    const queue = await open({ loader, disk: stuck });
    await Promise.all([queue.append(request(1), ''), queue.append(request(2), '')]);
    queue.drain().catch(() => undefined); // it never ends
    await vi.waitFor(() => expect(queue.counters).toMatchObject({ loads: 3, retries: 1 }), 20_000);
    await close(queue);
    const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + 26 * 3_600_000 };
    await expect(open({ loader, disk: stuck, clock })).rejects.toThrow('not now');
    const last = await open({ loader, clock });
    await last.drain();
    expect(store.landed).toEqual(digests(1, 2));
    expect(segmentFiles()).toEqual([]);
  });
});

describe('what it refuses', () => {
  it('COL-16: a second process in the same directory', async () => {
    const queue = await open();
    await expect(open()).rejects.toThrow(DirectoryInUse);
    await close(queue);
    await open();
  });

  it('anything below the free space it keeps, or once it is closed', async () => {
    const full = await open({ bytesFreeMin: Number.MAX_SAFE_INTEGER });
    expect(await full.append(request(1), '')).toMatchObject({ kind: 'refused' });
    await close(full);
    const queue = await open();
    await close(queue);
    expect(await queue.append(request(1), '')).toEqual({ kind: 'refused', reason: 'the queue is closed' });
  });

  it('more than its limit, until the store has taken some', async () => {
    let isAway = true;
    const store = rememberingStore(readFileSync);
    const loader: QueueOptions['loader'] = {
      load: (segment) => (isAway ? Promise.reject(new Error('away')) : store.load(segment)),
    };
    const queue = await open({ loader, bytesMax: 340 });
    const kinds = [];
    for (const number of [1, 2, 3]) kinds.push((await queue.append(request(number), '')).kind);
    expect(kinds).toEqual(['stored', 'stored', 'refused']);
    isAway = false;
    await queue.drain();
    expect((await queue.append(request(3), '')).kind).toBe('stored');
  });

  it('COL-06: what an fsync failed for, and takes it in a new file afterwards', async () => {
    let failures = 1;
    const created: string[] = [];
    const disk = {
      ...nodeDisk,
      async create(path: string) {
        created.push(path);
        const file = await nodeDisk.create(path);
        const datasync = () =>
          path.endsWith('.segment') && failures-- > 0 ? Promise.reject(new Error('EIO')) : file.datasync();
        return { ...file, datasync };
      },
    };
    const loader = rememberingStore(readFileSync);
    let laterMs = 0;
    const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + laterMs };
    const queue = await open({ disk, loader, clock });
    const first = await queue.append(request(1), '');
    expect(first).toEqual({ kind: 'refused', reason: 'the queue could not be written: EIO' });
    laterMs = 300; // it rests for a moment after a failure
    expect((await queue.append(request(1), '')).kind).toBe('stored');
    await queue.drain();
    expect(loader.landed).toEqual(digests(1));
    expect(new Set(created.filter((path) => path.endsWith('.segment'))).size).toBe(2);
  });

  it('COL-17: to say stored when its file was removed while it wrote, or the directory is away, until it is back', async () => {
    let laterMs = 0;
    const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + laterMs };
    const queue = await open({ loader: OUT_OF_REACH, clock });
    await queue.append(request(1), '');
    rmSync(onlySegment());
    expect(await queue.append(request(2), '')).toMatchObject({ kind: 'refused' });
    rmSync(join(directory, 'segments'), { recursive: true });
    laterMs = 2_000;
    expect(await queue.append(request(2), 'scout/host-1')).toMatchObject({ kind: 'refused' });
    expect(queue.missing()).toEqual(['queue']);
    await nodeDisk.makeDirectory(join(directory, 'segments'));
    laterMs = 4_000;
    expect(await queue.append(request(2), '')).toMatchObject({ kind: 'stored' });
  });

  it('telemetry of nobody before what known senders record', async () => {
    const queue = await open({ loader: OUT_OF_REACH, bytesMax: 8_000 });
    let number = 0;
    const fill = async (sender: string) => {
      while ((await queue.append(request(number), sender)).kind === 'stored') number += 1;
      return number;
    };
    const ofNobody = await fill('');
    expect(ofNobody).toBeGreaterThan(20);
    expect(queue.missing()).toEqual([]);
    expect(await fill('scout/host-1')).toBeGreaterThan(ofNobody + 2);
    expect(queue.depth().bytes).toBeGreaterThanOrEqual(8_000);
    queue.missing(); // looks again
    await new Promise((resolve) => setImmediate(resolve));
    expect(queue.missing()).toEqual(['queue']);
  });
});

function keepManifest(): { restore(): void } {
  const folder = join(directory, 'manifest');
  const files = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))] as const);
  return {
    restore() {
      for (const each of ['manifest', 'segments', 'quarantine'])
        for (const name of readdirSync(join(directory, each))) rmSync(join(directory, each, name));
      for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
    },
  };
}
