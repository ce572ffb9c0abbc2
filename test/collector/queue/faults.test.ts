// A queue and each of the faults it names a promise for: of the disk, of the store, of the process. All of
// it runs on a disk and a clock of the test's own.

import { describe, expect, it } from 'vitest';
import type { Disk } from '../../../collector/queue/disk.ts';
import type { Loader } from '../../../collector/queue/loader.ts';
import { openQueue, type Queue } from '../../../collector/queue/queue.ts';
import { readRecords } from '../../../collector/queue/record.ts';
import { silentLog } from '../../../kit/log.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { forgetfulDisk } from './forgetful-disk.ts';
import {
  answering,
  away,
  bench,
  digests,
  failure,
  request,
  segmentsIn,
  storeOn,
  turning,
  upTo,
} from './queue-bench.ts';
import { randomFrom } from './random.ts';
import { Rejected } from './remembering-store.ts';

describe('a process that dies', () => {
  /** Five requests, a restart, five more; every operation of the disk is one at which it may die. */
  async function lifeAndDeath(dieAt: number, how: 'die before' | 'die after', powerCut: boolean) {
    const clock = manualClock();
    const disk = forgetfulDisk(() => clock.nowMs());
    const store = storeOn(disk);
    let operations = 0;
    const acknowledged: string[] = [];
    const first = disk.live(() => (++operations === dieAt ? how : null));
    const options = { directory: '/queue', log: silentLog, clock, segmentBytesMax: 500 };
    const living = async (): Promise<void> => {
      const queue = await openQueue({ ...options, loader: mortal(store, first.isDead), disk: first.disk });
      for (const number of upTo(5)) {
        const { kind } = await queue.append(request(number), 'scout/host-1');
        if (kind !== 'refused') acknowledged.push(...digests(number));
      }
      await queue.drain();
      await queue.close();
    };
    await turning(clock, Promise.race([living(), first.died]));
    first.die();
    if (powerCut) disk.powerCut(randomFrom(dieAt));
    const next = await turning(
      clock,
      openQueue({ ...options, loader: store, disk: disk.live(() => null).disk }),
    );
    await turning(clock, next.drain());
    await turning(clock, next.close());
    return { operations, acknowledged, landed: store.landed, left: segmentsIn(disk) };
  }

  const mortal = (store: Loader, isDead: () => boolean): Loader => ({
    load: (segment) => (isDead() ? new Promise(() => undefined) : store.load(segment)),
  });

  it.each([
    ['COL-02: killed before', 'die before', false],
    ['COL-02: killed after', 'die after', false],
    ['COL-03: without power before', 'die before', true],
    ['COL-03: without power after', 'die after', true],
  ] as const)(
    '%s each step it takes on the disk, loses nothing it acknowledged',
    async (_name, how, powerCut) => {
      const { operations } = await lifeAndDeath(Number.POSITIVE_INFINITY, how, false);
      expect(operations).toBeGreaterThan(40);
      for (let dieAt = 1; dieAt <= operations; dieAt += 1) {
        const { acknowledged, landed, left } = await lifeAndDeath(dieAt, how, powerCut);
        expect(landed, `step ${dieAt}`).toEqual(expect.arrayContaining(acknowledged));
        expect(new Set(landed).size, `step ${dieAt}`).toBe(landed.length);
        expect(left, `step ${dieAt}`).toEqual([]);
      }
    },
  );

  /** One byte in so many, another each time; TORN_EVERY=1 tries all. */
  const EVERY = Number(process.env.TORN_EVERY ?? 4);

  it('COL-04: with a write torn at any byte of the last page, starts with what was whole', async () => {
    const { disk, open, until } = bench();
    const queue = await open({ loader: away });
    for (const number of upTo(30)) await queue.append(request(number), 'scout/host-1');
    await until(queue.close());
    const [path, whole] = [...disk.files()].find(([name]) => name.endsWith('.segment'))!;
    const ends = readRecords(whole).whole.map(({ end }) => end);
    expect(whole.length).toBeGreaterThan(4_096);
    const from = whole.length - 4_096 + (Date.now() % EVERY);
    for (let length = from; length < whole.length; length += EVERY) {
      const torn = bench();
      const file = await torn.disk.live(() => null).disk.create(path);
      await file.append([whole.subarray(0, length)]);
      const next = await torn.open({ loader: away });
      const kept = torn.disk.files().get(path)!.length;
      expect(kept, `byte ${length}`).toBe(ends.findLast((end) => end <= length));
      await torn.until(next.close());
    }
  });

  it('COL-19: asked to stop under load, has taken all it acknowledged, and the next life loads it', async () => {
    const { disk, open, until } = bench();
    const queue = await open({ loader: away, segmentBytesMax: 2_000 });
    const answers = upTo(100).map((number) => queue.append(request(number), 'scout/host-1'));
    await Promise.race(answers);
    const closing = queue.close();
    const kinds = await until(Promise.all(answers));
    await until(closing);
    const stored = upTo(100).filter((number) => kinds[number]!.kind === 'stored');
    expect(stored.length).toBeGreaterThan(0);
    const store = storeOn(disk);
    const next = await open({ loader: store });
    await until(next.drain());
    expect(store.landed).toEqual(digests(...stored));
    await until(next.close());
  });
});

describe('a disk that takes nothing', () => {
  it.each([
    ['COL-07: ENOSPC', 'append'],
    ['COL-07: EDQUOT', 'append'],
    ['COL-07: EROFS', 'create'],
    ['COL-08: ENOSPC', 'datasync'],
    ['COL-09: EMFILE', 'create'],
    ['COL-09: ENOSPC', 'syncDirectory'],
  ] as const)('%s at %s for an hour: refuses, loses nothing, and goes on by itself', async (name, at) => {
    let isFull = false;
    const code = name.slice('COL-00: '.length);
    const { clock, disk, open, until } = bench((operation) =>
      isFull && operation === at ? failure(code) : null,
    );
    const store = storeOn(disk);
    const queue = await open({ loader: store });
    const kinds = [(await queue.append(request(0), 'scout/host-1')).kind];
    await until(queue.drain());
    isFull = true;
    for (let number = 1; number <= 6; number += 1) {
      const answer = await until(queue.append(request(number), 'scout/host-1'));
      kinds.push(answer.kind);
      if (answer.kind === 'refused') expect(answer.reason).toContain(code);
      clock.advance(600_000);
    }
    expect(kinds).toContain('refused');
    isFull = false;
    clock.advance(1_000);
    kinds.push((await queue.append(request(7), 'scout/host-1')).kind);
    expect(kinds.at(-1)).toBe('stored');
    await until(queue.drain());
    expect(store.landed).toEqual(digests(...upTo(8).filter((number) => kinds[number] === 'stored')));
    await until(queue.close());
  });

  it('takes a part of what is written and calls it well: it is refused, cut off, and stored when it comes again', async () => {
    const { clock, disk, open, until } = bench();
    const life = disk.live(() => null);
    let isShort = false;
    const cutting: Disk = {
      ...life.disk,
      async create(path) {
        const file = await life.disk.create(path);
        const part = (chunks: readonly Uint8Array[]) => [Buffer.concat(chunks).subarray(0, 10)];
        return { ...file, append: (chunks) => file.append(isShort ? part(chunks) : chunks) };
      },
    };
    const store = storeOn(disk);
    const queue = await open({ loader: store, disk: cutting });
    const append = async (number: number) =>
      (await until(queue.append(request(number), 'scout/host-1'))).kind;
    expect(await append(0)).toBe('stored');
    isShort = true;
    expect(await append(1)).toBe('refused');
    isShort = false;
    clock.advance(1_000);
    expect(await append(1)).toBe('stored');
    await until(queue.drain());
    expect(store.landed).toEqual(digests(0, 1));
    await until(queue.close());
  });

  it('is all but full: what is queued waits, and is loaded once there is room for the store', async () => {
    const { clock, disk, open, until } = bench();
    let bytesFree = 1_000_000;
    const life = disk.live(() => null);
    const small: Disk = { ...life.disk, bytesFree: async () => bytesFree };
    const store = storeOn(disk);
    const queue = await open({ loader: store, disk: small, sharesDisk: true, bytesFreeMin: 800_000 });
    expect((await queue.append(request(0), '')).kind).toBe('stored');
    bytesFree = 99_999;
    clock.advance(1_000);
    const drained = queue.drain();
    await until(waits(queue));
    expect((await queue.append(request(1), 'scout/host-1')).kind).toBe('refused');
    expect(queue.missing()).toEqual(['queue', 'room to load']);
    expect(store.landed).toEqual([]);
    bytesFree = 100_000;
    await until(drained);
    expect(store.landed).toEqual(digests(0));
    expect(queue.missing()).not.toContain('room to load');
    await until(queue.close());
  });

  async function waits(queue: Queue): Promise<void> {
    while (!queue.missing().includes('room to load')) await new Promise((resolve) => setImmediate(resolve));
  }

  it('gives a segment no longer back (EIO): sets it aside, and goes on', async () => {
    const { disk, open, until } = bench();
    const first = await open({ loader: away, segmentBytesMax: 300 });
    for (const number of upTo(6)) await first.append(request(number), 'scout/host-1');
    await until(first.close());
    const bad = segmentsIn(disk).sort()[1]!;
    const life = disk.live(() => null);
    const reading: Disk = {
      ...life.disk,
      read: (path) => (path === bad ? Promise.reject(failure('EIO')) : life.disk.read(path)),
    };
    const store = storeOn(disk);
    const queue = await open({ loader: store, disk: reading });
    await until(queue.drain());
    expect(store.landed.length).toBeGreaterThan(0);
    expect(store.landed.length).toBeLessThan(6);
    expect(queue.counters.quarantined).toBe(1);
    expect([...disk.files().keys()].filter((path) => path.endsWith('.unread')).length).toBe(1);
    await until(queue.close());
  });

  it('fails once more while that segment is set aside: what came after is loaded all the same', async () => {
    const { disk, open, until } = bench();
    const life = disk.live(() => null);
    const filesOf = (ending: string) => [...disk.files().keys()].filter((path) => path.endsWith(ending));
    let failures = 0;
    const failing: Disk = {
      ...life.disk,
      read: (path) => (path.includes('/segments/') ? Promise.reject(failure('EIO')) : life.disk.read(path)),
      async syncDirectory(path) {
        if (filesOf('.unread').length > 0 && failures++ === 0) throw failure('EIO');
        return life.disk.syncDirectory(path);
      },
    };
    const { loader, landed } = answering(disk, ({ path }) =>
      disk.files().get(path)?.includes('span 0') ? new Rejected('not this one') : null,
    );
    const queue = await open({ loader, disk: failing });
    await queue.append(request(0), '');
    await until(queue.drain());
    await queue.append(request(1), '');
    await until(queue.drain());
    expect(failures).toBeGreaterThan(0);
    expect(landed).toEqual(digests(1));
    expect(queue.counters).toMatchObject({ quarantined: 1, setAside: 1 });
    expect(filesOf('.unread').length).toBe(1);
    await until(queue.close());
  });
});

describe('a store that', () => {
  it('COL-10: is away for a day: the queue fills to its bound, refuses, and drops nothing', async () => {
    const { clock, disk, open, until } = bench();
    let isAway = true;
    const { loader, landed } = answering(disk, () => (isAway ? new Error('away') : null));
    const queue = await open({ loader, segmentBytesMax: 4_000, bytesMax: 60_000 });
    const taken: number[] = [];
    for (let minute = 0; minute < 24 * 60; minute += 1) {
      if ((await queue.append(request(minute), 'scout/host-1')).kind === 'stored') taken.push(minute);
      clock.advance(60_000);
    }
    expect(taken.length).toBeGreaterThan(100);
    expect(taken.length).toBeLessThan(1_000);
    expect(queue.depth().oldestMs).toBeGreaterThanOrEqual(24 * 3_600_000);
    isAway = false;
    await until(queue.drain());
    expect(landed).toEqual(digests(...taken));
    await until(queue.close());
  });

  it('COL-11: takes a segment and loses the answer: it comes again under its id, and is there once', async () => {
    const { disk, open, until } = bench();
    let lost = 3;
    const store = storeOn(disk, () => (lost-- > 0 ? 'after' : null));
    const queue = await open({ loader: store });
    for (const number of upTo(3)) await queue.append(request(number), 'scout/host-1');
    await until(queue.drain());
    expect(store.landed).toEqual(digests(0, 1, 2));
    expect(queue.counters.retries).toBeGreaterThanOrEqual(3);
    await until(queue.close());
  });

  it.each([252, 164, 243])(
    'COL-12: refuses everything for a while (%i): one at a time, in order, later and later',
    async (code) => {
      const { disk, open, until } = bench();
      let refusals = 12;
      const busy = () => Object.assign(new Error('not now'), { code });
      const { loader, landed, tried, atOnceMost } = answering(disk, () => (refusals-- > 0 ? busy() : null));
      const queue = await open({ loader, segmentBytesMax: 400 });
      for (const number of upTo(8)) await queue.append(request(number), 'scout/host-1');
      await until(queue.drain());
      expect(landed).toEqual(digests(...upTo(8)));
      expect(atOnceMost()).toBe(1);
      expect(new Set(tried.slice(0, 12)).size).toBe(1);
      expect(queue.counters.quarantined).toBe(0);
      await until(queue.close());
    },
  );

  it('COL-12: takes too much memory for a segment: tried again, then in halves, and all of it lands', async () => {
    const { disk, open, until } = bench();
    const heavy = () =>
      Object.assign(new Error('memory limit exceeded'), { name: 'SegmentInDoubt', code: 241 });
    const { loader, landed, tried } = answering(disk, ({ bytes }) => (bytes > 700 ? heavy() : null));
    const queue = await open({ loader });
    for (const number of upTo(8)) await queue.append(request(number), 'scout/host-1');
    await until(queue.drain());
    expect(landed).toEqual(digests(...upTo(8)));
    expect(queue.counters.quarantined).toBe(0);
    expect(tried.filter((id) => id === tried[0]).length).toBe(4);
    await until(queue.close());
  });

  it('COL-14: has changed and refuses one message after the other: loading stops, says so, and keeps the rest', async () => {
    const { disk, open, until } = bench();
    let isChanged = true;
    const { loader, landed } = answering(disk, () => (isChanged ? new Rejected('cannot parse') : null));
    const queue = await open({ loader });
    for (const number of upTo(40)) await queue.append(request(number), 'scout/host-1');
    const drained = queue.drain();
    await until(stopped(queue));
    expect(queue.counters.quarantined).toBe(20);
    expect(queue.missing()).toEqual(['loading']);
    isChanged = false;
    await until(drained);
    expect(landed).toEqual(digests(...upTo(40).slice(20)));
    expect(queue.missing()).toEqual([]);
    await until(queue.close());
  });

  async function stopped(queue: Queue): Promise<void> {
    while (!queue.missing().includes('loading')) await new Promise((resolve) => setImmediate(resolve));
  }
});

describe('COL-18: a start with a backlog of 10 GiB', () => {
  const SEGMENT_BYTES = 8 * 1024 * 1024;
  const SEGMENTS = 1_280;

  it('reads none of it, and takes requests before it loads the first', async () => {
    const { disk, open, until } = bench();
    const first = await open({ loader: away });
    await first.append(request(0), 'scout/host-1');
    await until(first.close());
    const life = disk.live(() => null);
    const [manifest] = [...disk.files()].find(([path]) => path.endsWith('.log'))!;
    const names = upTo(SEGMENTS).map((number) => `${String(number + 100).padStart(12, '0')}-00c0ffee`);
    const read: string[] = [];
    const large: Disk = {
      ...life.disk,
      list: async (path) => [
        ...(await life.disk.list(path)),
        ...(path.endsWith('/segments') ? names.map((name) => `${name}.segment`) : []),
      ],
      measure: async (path) =>
        path.includes('00c0ffee') ? { bytes: SEGMENT_BYTES, writtenAtMs: 0 } : life.disk.measure(path),
      read(path) {
        read.push(path);
        return life.disk.read(path);
      },
    };
    await note(life.disk, manifest, names);
    const queue = await open({ loader: away, disk: large });
    expect(queue.depth()).toMatchObject({ segments: SEGMENTS + 1 });
    expect(queue.depth().bytes).toBeGreaterThan(10 * 1024 ** 3);
    expect(await queue.append(request(1), 'scout/host-1')).toMatchObject({ kind: 'stored' });
    expect(read.filter((path) => path.includes('00c0ffee'))).toEqual([]);
    await until(queue.close());
  });

  /** Lines as the manifest of an earlier life has them, in a file after `last`. */
  async function note(disk: Disk, last: string, ids: readonly string[]): Promise<void> {
    const { crc32 } = await import('node:zlib');
    const lines = ids.map((id) => {
      const json = JSON.stringify({
        id,
        bytes: SEGMENT_BYTES,
        atMs: 1,
        loaded: false,
        split: [],
        digests: '',
      });
      return `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`;
    });
    const name = String(Number.parseInt(last.slice(last.lastIndexOf('/') + 1), 10) + 1).padStart(15, '0');
    const file = await disk.create(`/queue/manifest/${name}.log`);
    await file.append([Buffer.from(lines.join(''))]);
  }

  it('keeps nothing in memory of the thirty thousand that are gone', async () => {
    const { disk, open, until } = bench();
    const first = await open({ loader: away });
    await first.append(request(0), 'scout/host-1');
    await until(first.close());
    const [manifest] = [...disk.files()].find(([path]) => path.endsWith('.log'))!;
    const gone = upTo(30_000).map((number) => `${String(number + 100).padStart(12, '0')}-00c0ffee`);
    await note(disk.live(() => null).disk, manifest, gone);
    const bytesBefore = disk.files().size;
    const next = await open({ loader: away });
    expect(next.depth().segments).toBe(1);
    await until(next.close());
    const record = [...disk.files()].filter(([path]) => path.endsWith('.log'));
    expect(record.reduce((sum, [, bytes]) => sum + bytes.length, 0)).toBeLessThan(2_000);
    expect(disk.files().size).toBeLessThanOrEqual(bytesBefore);
    const third = await open({ loader: away });
    await third.append(request(1), 'scout/host-1');
    await until(third.close());
  });
});
