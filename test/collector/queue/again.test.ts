// Messages that the store refused, loaded again once it takes them: each lands once, whenever the process dies, and however
// often somebody asks.

import { describe, expect, it } from 'vitest';
import type { Loader, Segment } from '../../../collector/queue/loader.ts';
import { openQueue, type Queue } from '../../../collector/queue/queue.ts';
import { silentLog } from '../../../kit/log.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { forgetfulDisk } from './forgetful-disk.ts';
import { bench, digests, failure, request, segmentsIn, storeOn, turning } from './queue-bench.ts';
import { randomFrom } from './random.ts';
import { Rejected, type RememberingStore } from './remembering-store.ts';

/** Refuses what holds span 1 until it is mended; notes what it is to take back. */
function mendable(store: RememberingStore, read: (path: string) => Buffer, partly = false) {
  const mended = { now: false };
  const takenBack: string[] = [];
  const loader: Loader = {
    async load(segment: Segment) {
      if (!mended.now && read(segment.path).includes('span 1'))
        throw Object.assign(new Rejected('no room for\n span 1'), { partly });
      return store.load(segment);
    },
    takeBack: async ({ id }) => void takenBack.push(id),
  };
  return { loader, mended, takenBack };
}

const asideOf = async (queue: Queue) => (await queue.again.list(10)).map(({ name }) => name);

async function refused(partly = false) {
  const { disk, open, until, clock } = bench();
  const store = storeOn(disk);
  const { loader, mended, takenBack } = mendable(store, (path) => disk.files().get(path)!, partly);
  const queue = await open({ loader });
  for (const number of [0, 1, 2]) await queue.append(request(number), 'scout/host-1', 'logs');
  await until(queue.drain());
  return { disk, open, until, clock, store, loader, mended, takenBack, queue };
}

describe('what was set aside', () => {
  it('is listed with whose it is, since when and why; also by the next life', async () => {
    const { queue, open, loader, until, clock } = await refused();
    const [aside, ...more] = await queue.again.list(10);
    expect(more).toEqual([]);
    expect(aside).toMatchObject({
      kind: 'message',
      signal: 'logs',
      reason: 'no room for span 1',
      received: { sender: 'scout/host-1' },
      comesAs: null,
      partly: false,
    });
    expect(Number(aside!.received!.atUnixNano / 1_000_000n)).toBeLessThanOrEqual(clock.nowMs());
    expect(queue.counters.setAside).toBe(1);
    await until(queue.close());
    const next = await open({ loader });
    expect(await asideOf(next)).toEqual([aside!.name]);
    expect(next.counters).toMatchObject({ setAside: 1, quarantined: 0 });
    await until(next.close());
  });

  it('comes under an id that no table has seen, once, however often it is asked for; and is gone then', async () => {
    const { queue, store, mended, takenBack, until } = await refused();
    const [name] = await asideOf(queue);
    mended.now = true;
    const asked = await Promise.all([queue.again.load(name!), queue.again.load(name!)]);
    expect(asked).toEqual([{ as: `${name}.0` }, { as: `${name}.0` }]);
    await until(queue.drain());
    expect(store.landed).toEqual(digests(0, 2, 1));
    expect(takenBack.at(-1)).toBe(name);
    expect(await queue.again.list(10)).toEqual([]);
    expect(await queue.again.load(name!)).toBeNull();
    expect(queue.counters.setAside).toBe(0);
    await until(queue.close());
  });

  it('and is refused again lies there again, for the next time', async () => {
    const { queue, store, mended, until } = await refused();
    const [name] = await asideOf(queue);
    await queue.again.load(name!);
    await until(queue.drain());
    expect(await asideOf(queue)).toEqual([`${name}.0`]);
    mended.now = true;
    await queue.again.load(`${name}.0`);
    await until(queue.drain());
    expect(store.landed).toEqual(digests(0, 2, 1));
    expect(await asideOf(queue)).toEqual([]);
    await until(queue.close());
  });

  it('and is refused again, and lost by the disk on the way, lies there as it was', async () => {
    const { disk, store, open, loader, queue, mended, until } = await refused();
    const [name] = await asideOf(queue);
    await until(queue.close());
    const life = disk.live(() => null);
    const losing = (path: string) => path.endsWith(`${name}.0.segment`) && !mended.now;
    const next = await open({
      loader,
      disk: {
        ...life.disk,
        read: (path) => (losing(path) ? Promise.reject(failure('EIO')) : life.disk.read(path)),
      },
    });
    await next.again.load(name!);
    await until(next.drain());
    expect(await asideOf(next)).toEqual([name, `${name}.0`]);
    mended.now = true;
    expect(await next.again.load(name!)).toEqual({ as: `${name}.0` });
    await until(next.drain());
    expect(store.landed).toEqual(digests(0, 2, 1));
    await until(next.close());
  });

  it('and of which the store has a part comes under its own id, for the rest', async () => {
    const { queue, store, mended, takenBack, until } = await refused(true);
    const [name] = await asideOf(queue);
    const before = takenBack.length;
    expect(await queue.again.load(name!)).toEqual({ as: name });
    await until(queue.drain());
    expect(await asideOf(queue)).toEqual([name]);
    mended.now = true;
    await queue.again.load(name!);
    await until(queue.drain());
    expect(store.landed).toContain(digests(1)[0]);
    expect(takenBack.length).toBe(before);
    expect(await asideOf(queue)).toEqual([]);
    await until(queue.close());
  });

  it('waits while the disk takes nothing, and comes when it does', async () => {
    let isFull = false;
    const { disk, open, until } = bench((operation) =>
      isFull && operation === 'create' ? failure('ENOSPC') : null,
    );
    const store = storeOn(disk);
    const { loader, mended } = mendable(store, (path) => disk.files().get(path)!);
    const queue = await open({ loader });
    await queue.append(request(1), '');
    await until(queue.drain());
    const [name] = await asideOf(queue);
    mended.now = true;
    isFull = true;
    await expect(queue.again.load(name!)).rejects.toThrow('ENOSPC');
    isFull = false;
    expect(await asideOf(queue)).toEqual([name]);
    await queue.again.load(name!);
    await until(queue.drain());
    expect(store.landed).toEqual(digests(1));
    await until(queue.close());
  });
});

describe('a process that dies while a message is loaded again', () => {
  async function lifeAndDeath(dieAt: number, how: 'die before' | 'die after', powerCut: boolean) {
    const clock = manualClock();
    const disk = forgetfulDisk(() => clock.nowMs());
    const store = storeOn(disk);
    const { loader, mended } = mendable(store, (path) => disk.files().get(path)!);
    const options = { directory: '/queue', log: silentLog, clock, loader };
    const before = await openQueue({ ...options, disk: disk.live(() => null).disk });
    for (const number of [0, 1]) await before.append(request(number), 'scout/host-1');
    await turning(clock, before.drain());
    await turning(clock, before.close());
    mended.now = true;

    let operations = 0;
    const life = disk.live(() => (++operations === dieAt ? how : null));
    const mortal: Loader = {
      ...loader,
      load: (segment) => (life.isDead() ? new Promise(() => undefined) : loader.load(segment)),
    };
    const living = async (): Promise<void> => {
      const queue = await openQueue({ ...options, loader: mortal, disk: life.disk });
      for (const name of await asideOf(queue)) await queue.again.load(name);
      await queue.drain();
      await queue.close();
    };
    await turning(clock, Promise.race([living(), life.died]));
    life.die();
    if (powerCut) disk.powerCut(randomFrom(dieAt));

    const next = await openQueue({ ...options, disk: disk.live(() => null).disk });
    await turning(clock, next.drain());
    for (const name of await asideOf(next)) await next.again.load(name);
    await turning(clock, next.drain());
    const left = [...(await asideOf(next)), ...segmentsIn(disk)];
    await turning(clock, next.close());
    return { operations, landed: store.landed, left };
  }

  it.each([
    ['killed before', 'die before', false],
    ['killed after', 'die after', false],
    ['without power before', 'die before', true],
    ['without power after', 'die after', true],
  ] as const)(
    '%s any step it takes: the message is in the store once, and nowhere else',
    async (_name, how, powerCut) => {
      const { operations } = await lifeAndDeath(Number.POSITIVE_INFINITY, how, powerCut);
      expect(operations).toBeGreaterThan(20);
      for (let dieAt = 1; dieAt <= operations; dieAt += 1) {
        const { landed, left } = await lifeAndDeath(dieAt, how, powerCut);
        expect(landed, `step ${dieAt}`).toEqual(digests(0, 1));
        expect(left, `step ${dieAt}`).toEqual([]);
      }
    },
  );
});
