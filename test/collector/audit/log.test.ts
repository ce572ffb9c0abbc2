import { generateKeyPairSync, hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openEndedLogs } from '../../../collector/audit/ended-logs.ts';
import type { SignedCheckpoint } from '../../../collector/audit/growth.ts';
import { WAITING_MAX } from '../../../collector/audit/log.ts';
import { FLUSH_AFTER_MS, FLUSH_AT, HEARTBEAT_MS } from '../../../collector/audit/pace.ts';
import { openAuditDirectory } from '../../../collector/edges/audit-directory.ts';
import type { AcceptedRequest } from '../../../collector/queue/sequencer.ts';
import { chainRangesText } from '../../../contract/chain-ranges.ts';
import { silentLog } from '../../../kit/log.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { forgetfulDisk } from '../queue/forgetful-disk.ts';
import { AUDIT, leavesOnDisk, opened, openLog } from './kept-log.ts';

const SEGMENT = '000000000001-00000001';
const settle = async () => {
  for (let turn = 0; turn < 60; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};
const request = (number: number, more: Partial<AcceptedRequest> = {}): AcceptedRequest => ({
  digest: hash('sha256', `request ${number}`, 'buffer'),
  receivedAtMs: Date.UTC(2026, 0, 5) + number,
  sender: 'trend-scout/host-1',
  items: 1,
  chains: [],
  ...more,
});

async function setUp() {
  const clock = manualClock();
  const memory = forgetfulDisk(() => clock.nowMs());
  const told: SignedCheckpoint[] = [];
  let failure: Error | null = null;
  const live = () => {
    const { disk } = memory.live((operation) => (operation === 'append' ? failure : null));
    return openLog({ disk, clock, onCheckpoint: (checkpoint) => void told.push(checkpoint) });
  };
  return {
    clock,
    memory,
    told,
    live,
    log: await live(),
    fail: (reason: Error | null) => {
      failure = reason;
    },
    onDisk: () => leavesOnDisk(memory.files()),
  };
}

describe('the log of what was accepted', () => {
  it('begins with a signed checkpoint, and puts requests into it within a second', async () => {
    const { log, clock, onDisk } = await setUp();
    log.begun(SEGMENT);
    log.accepted(SEGMENT, [request(1), request(2)]);
    await settle();
    expect(onDisk().leaves.map(({ kind }) => kind)).toEqual(['start']);
    clock.advance(FLUSH_AFTER_MS);
    await settle();
    const { leaves, checkpoint } = onDisk();
    const leafOf = (number: number) => ({
      kind: 'request',
      signal: 'traces',
      receivedMs: request(number).receivedAtMs,
      sender: 'trend-scout/host-1',
      segment: SEGMENT,
      items: 1,
      digest: request(number).digest,
      chains: [],
    });
    expect(leaves.slice(1)).toEqual([leafOf(1), leafOf(2)]);
    expect(checkpoint.size).toBe(3);
    expect(opened(log.checkpoint().note)).toEqual(checkpoint);
    await log.close();
  });

  it('does not wait for the second when there are many', async () => {
    const { log, onDisk } = await setUp();
    log.begun(SEGMENT);
    const requests = Array.from({ length: FLUSH_AT + 3 }, (_, index) => request(index));
    log.accepted(SEGMENT, requests);
    await settle();
    expect(
      onDisk()
        .leaves.slice(1)
        .map(({ digest }) => digest),
    ).toEqual(requests.map(({ digest }) => digest));
    await log.close();
  });

  it('grows over restarts, each checkpoint containing the ones before', async () => {
    const { log, live, told, onDisk } = await setUp();
    let current = log;
    for (let life = 0; life < 4; life += 1) {
      current.begun(`${SEGMENT}${life}`);
      current.accepted(
        `${SEGMENT}${life}`,
        Array.from({ length: 150 }, (_, index) => request(1_000 * life + index)),
      );
      await current.close();
      current = await live();
    }
    const { leaves, checkpoint } = onDisk();
    expect(leaves.length).toBe(4 * 150 + 5);
    expect(new Set(told.map(({ origin }) => origin))).toEqual(new Set([checkpoint.origin]));
    expect(told.map(({ size }) => size)).toEqual([1, 151, 152, 302, 303, 453, 454, 604, 605]);
    await current.close();
  });

  it('says that it is there when nothing comes', async () => {
    const { log, clock, onDisk } = await setUp();
    clock.advance(HEARTBEAT_MS);
    clock.advance(FLUSH_AFTER_MS);
    await settle();
    expect(onDisk().leaves.map(({ kind }) => kind)).toEqual(['start', 'heartbeat']);
    expect(onDisk().leaves[1]!.receivedMs - onDisk().leaves[0]!.receivedMs).toBeGreaterThanOrEqual(
      HEARTBEAT_MS,
    );
    await log.close();
  });

  it('tries again after the disk failed, and tells of no checkpoint meanwhile', async () => {
    const { log, clock, told, fail, onDisk } = await setUp();
    log.begun(SEGMENT);
    fail(new Error('EIO'));
    log.accepted(SEGMENT, [request(1)]);
    log.closed(SEGMENT);
    await expect(log.sequenced(SEGMENT)).rejects.toThrow('EIO');
    expect(told.length).toBe(1);
    expect(log.behind().requests).toBe(1);
    log.begun('000000000002-00000002-logs');
    log.accepted('000000000002-00000002-logs', [request(2)]);
    fail(null);
    clock.advance(FLUSH_AFTER_MS);
    await settle();
    await log.sequenced(SEGMENT);
    expect(onDisk().leaves.map(({ signal }) => signal)).toEqual(['none', 'traces', 'logs']);
    expect(log.behind()).toEqual({ requests: 0, forMs: 0 });
    await log.close();
  });

  it('gives those of a left segment a place that had none, and the others no second one', async () => {
    const { log, live, onDisk } = await setUp();
    log.begun(SEGMENT);
    log.accepted(SEGMENT, [request(1), request(2)]);
    await log.flush();
    log.accepted(SEGMENT, [request(3)]); // and dies before the second is over
    const next = await live();
    next.resume([
      { id: SEGMENT, requests: async () => [1, 2, 3].map((number) => request(number)) },
      { id: '000000000002-00000002', requests: async () => [request(4)] },
    ]);
    await next.sequenced(SEGMENT);
    await next.sequenced('000000000002-00000002');
    const digests = onDisk()
      .leaves.filter(({ kind }) => kind === 'request')
      .map(({ digest }) => digest);
    expect(digests).toEqual([1, 2, 3, 4].map((number) => request(number).digest));
    await next.close();
  });

  it('leaves none out where two senders sent the same', async () => {
    const { log, live, onDisk } = await setUp();
    const sent = [request(1), request(2), request(3), request(1, { sender: '' }), request(4)];
    log.begun(SEGMENT);
    log.accepted(SEGMENT, sent.slice(0, 1));
    await log.flush(); // and dies before the others have their place
    const next = await live();
    next.resume([{ id: SEGMENT, requests: async () => sent }]);
    await next.sequenced(SEGMENT);
    const placed = onDisk().leaves.filter(({ kind }) => kind === 'request');
    expect(placed.map(({ digest, sender }) => [digest, sender])).toEqual(
      sent.map(({ digest, sender }) => [digest, sender]),
    );
    await next.close();
  });

  it('never goes back in time, whatever the clock that requests came by does', async () => {
    const { log, onDisk } = await setUp();
    log.begun(SEGMENT);
    log.accepted(SEGMENT, [request(7_000), request(3_000), request(9_000)]);
    await log.flush();
    const times = onDisk().leaves.map(({ receivedMs }) => receivedMs - request(0).receivedAtMs);
    expect(times.slice(1)).toEqual([7_000, 7_000, 9_000]);
    await log.close();
  });

  it('believes the word on chains of those whose records count alone, and as much as a leaf holds', async () => {
    const { log, onDisk } = await setUp();
    const head = 'ab'.repeat(32);
    const rangeOf = (stream: string) => ({ stream, first: 0, last: 3, head });
    const chains = Array.from({ length: 300 }, (_, number) =>
      chainRangesText([rangeOf(`scout/h/${number}`)]),
    );
    log.begun(SEGMENT);
    log.accepted(
      SEGMENT,
      ['scout/host-1', 'telemetry:laptop agent=scout', ''].map((sender) => request(1, { sender, chains })),
    );
    await log.flush();
    const [, counting, telemetry, nobody] = onDisk().leaves;
    expect(counting!.chains).toHaveLength(128);
    expect(counting!.chains[0]).toEqual(rangeOf('scout/h/0'));
    expect([telemetry!.chains, nobody!.chains]).toEqual([[], []]);
    await log.close();
  });

  it('has no room while more than it can remember are under no checkpoint', async () => {
    const { log, fail } = await setUp();
    fail(new Error('EIO'));
    log.begun(SEGMENT);
    log.accepted(
      SEGMENT,
      Array.from({ length: WAITING_MAX - 1 }, () => request(1)),
    );
    await expect(log.flush()).rejects.toThrow('EIO');
    expect(log.hasRoom()).toBe(true);
    log.accepted(SEGMENT, [request(2)]);
    expect(log.hasRoom()).toBe(false);
    fail(null);
    await log.flush();
    expect(log.hasRoom()).toBe(true);
    await log.close();
  });

  it('keeps no more files than the tree needs', async () => {
    const { log, memory } = await setUp();
    log.begun(SEGMENT);
    for (let number = 0; number < 300; number += 1) {
      log.accepted(SEGMENT, [request(number)]);
      if (number % 7 === 0) await log.flush();
    }
    await log.close();
    const names = [...memory.files().keys()].filter((path) => path.startsWith(AUDIT));
    expect(names.map((path) => path.replace(/^\/audit\/[0-9a-f]{16}\//, '')).sort()).toEqual([
      '/audit/logs.json',
      'checkpoint',
      'marks/301.json',
      'tile/0/000',
      'tile/0/001.p/45',
      'tile/1/000.p/1',
      'tile/entries/000',
      'tile/entries/001.p/45',
    ]);
  });
});

describe('a log that can not be gone on with', () => {
  const begun = async () => {
    const world = await setUp();
    world.log.begun(SEGMENT);
    world.log.accepted(SEGMENT, [request(1)]);
    await world.log.close();
    const { disk } = world.memory.live(() => null);
    return { ...world, disk, log: silentLog, last: world.log.checkpoint() };
  };
  /** Another began, and its first leaf names the last checkpoint of the one before. */
  const expectAnother = ({ memory, last }: Awaited<ReturnType<typeof begun>>, origin: string) => {
    expect(origin).not.toBe(last.origin);
    const { leaves } = leavesOnDisk(memory.files());
    expect(leaves).toMatchObject([{ kind: 'start', digest: hash('sha256', last.note, 'buffer') }]);
  };

  it('is followed by another when a later checkpoint of it was told of', async () => {
    const world = await begun();
    const root = Buffer.alloc(32).toString('base64');
    const log = await openLog({ ...world, newestTold: async () => ({ size: 3, root }) });
    expectAnother(world, log.checkpoint().origin);
    await log.close();
  });

  it('is followed by another when another checkpoint of its size was told of', async () => {
    const world = await begun();
    const { size } = world.last;
    const root = Buffer.alloc(32).toString('base64');
    const log = await openLog({ ...world, newestTold: async () => ({ size, root }) });
    expectAnother(world, log.checkpoint().origin);
    await log.close();
  });

  it('is followed by another when its tiles were altered', async () => {
    const world = await begun();
    const tile = [...world.memory.files().keys()].find((path) => path.includes('/tile/0/'))!;
    world.memory.damage(tile, (bytes) => {
      bytes[0]! ^= 1;
    });
    const log = await openLog(world);
    expectAnother(world, log.checkpoint().origin);
    await log.close();
  });

  it('is followed by another when its checkpoint was damaged, and is listed among those before', async () => {
    const world = await begun();
    const path = [...world.memory.files().keys()].find((name) => name.endsWith('/checkpoint'))!;
    world.memory.damage(path, (bytes) => {
      bytes.fill(0x20);
    });
    const damaged = world.memory.files().get(path)!.toString();
    const log = await openLog(world);
    const { origin } = log.checkpoint();
    expect(origin).not.toBe(world.last.origin);
    const { leaves } = leavesOnDisk(world.memory.files());
    expect(leaves).toMatchObject([{ kind: 'start', digest: hash('sha256', damaged, 'buffer') }]);
    await log.close();
    const directory = await openAuditDirectory(world.disk, AUDIT, silentLog);
    const files = directory.filesOf(origin.split('/').at(-1)!);
    const pruning = { minimumIndex: () => 0 };
    const ended = await openEndedLogs({ directory, audit: log, files, pruning, note: async () => undefined });
    expect(ended.all()).toMatchObject([{ name: path.split('/').at(-2), note: damaged, size: 0 }]);
  });

  it('is followed by another when its key is gone', async () => {
    const world = await begun();
    const { privateKey } = generateKeyPairSync('ed25519');
    const log = await openLog({ ...world, key: privateKey });
    expect(log.checkpoint().origin).not.toBe(world.last.origin);
    await log.close();
  });

  it('is gone on with when nothing is wrong with it', async () => {
    const world = await begun();
    const root = Buffer.from(world.last.root).toString('base64');
    const log = await openLog({ ...world, newestTold: async () => ({ size: 2, root }) });
    expect(log.checkpoint().origin).toBe(world.last.origin);
    await log.close();
  });
});
