// A replay as its sidecar carries it: claimed, renewed while it runs, told once it is over, one at a time; and when the
// collector, the kept bytes or the door fail.

import { beforeEach, expect, test } from 'vitest';
import {
  type ClaimedReplay,
  REPLAY_LEASE_MS,
  REPLAY_RENEWED_EVERY_MS,
  type ReplayReport,
} from '../../../contract/dead-letter.ts';
import { silentLog } from '../../../kit/log.ts';
import type { Replayed, ReplayRequest } from '../../../sidecar/accept/replay-door.ts';
import { nameOf } from '../../../sidecar/dead-letters/dead-letters.ts';
import { createReplays, type Replays } from '../../../sidecar/dead-letters/replays.ts';
import { ControlPlaneError } from '../../../sidecar/edges/control-plane.ts';
import { type ManualClock, manualClock } from '../../support/manual-clock.ts';
import { exampleRecord } from '../example-record.ts';

const HEAD = { method: 'POST', url: '/billing/charges', headers: [['accept', '*/*']] };
const KEPT = Buffer.from(`${JSON.stringify(HEAD)}\n{"amount":3}`);
const WHO = { agent: 'scout', instance: 'a' };

let clock: ManualClock;
let waiting: ClaimedReplay[];
let told: (ReplayReport & { letter: string; attempt: number })[];
let carried: (ReplayRequest & { end(status: number): void })[];
let collector: { body: Buffer | Promise<Buffer>; failing: Error | null };
let replays: Replays;

const claimed = (letter: string): ClaimedReplay => ({
  ...{ letter, attempt: 1, agent: 'scout', task: 't', trace_id: 'a'.repeat(32), span_id: 'b'.repeat(16) },
  request: nameOf(KEPT),
});

beforeEach(() => {
  clock = manualClock();
  [waiting, told, carried] = [[], [], []];
  collector = { body: KEPT, failing: null };
  replays = createReplays({
    claim: async () => waiting.shift() ?? null,
    report: async (letter, attempt, report) => {
      if (collector.failing) throw collector.failing;
      told.push({ letter, attempt, ...report });
    },
    body: async () => collector.body,
    keepAnswer: () => (bytes) => nameOf(bytes),
    clock,
    log: silentLog,
  });
  replays.open(
    (request) =>
      new Promise<Replayed>((resolve) => {
        const end = (status: number): void => {
          resolve({ status, body: Buffer.from('done') });
          replays.ended(
            exampleRecord({ replayOf: request.replay.letter, httpStatus: status, status: 'success' }),
          );
        };
        carried.push({ ...request, end });
      }),
  );
});

const turns = async (): Promise<void> => {
  for (let i = 0; i < 20; i += 1) await Promise.resolve();
};
const results = () => told.filter(({ result }) => result !== null);

test('the kept request goes out as that agent, in its task and trace, and its record is what is told', async () => {
  waiting = [claimed('l1')];
  replays.wake(WHO);
  await turns();
  expect(carried).toHaveLength(1);
  expect(carried[0]).toMatchObject({
    replay: { agent: 'scout', letter: 'l1' },
    method: 'POST',
    url: '/billing/charges',
    headers: [
      ['accept', '*/*'],
      ['x-outrider-task', 't'],
      ['traceparent', `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`],
    ],
  });
  expect(carried[0]!.body.toString()).toBe('{"amount":3}');
  carried[0]!.end(201);
  await turns();
  expect(told).toMatchObject([
    {
      letter: 'l1',
      attempt: 1,
      instance: 'a',
      answer: nameOf(Buffer.from('done')),
      result: { http_status: 201 },
    },
  ]);
});

test('while it runs it says so; several wait for each other; waking twice takes none twice', async () => {
  waiting = [claimed('l1'), claimed('l2')];
  replays.wake(WHO);
  replays.wake(WHO);
  await turns();
  expect(carried).toHaveLength(1);
  clock.advance(REPLAY_RENEWED_EVERY_MS);
  clock.advance(REPLAY_RENEWED_EVERY_MS);
  expect(told.map(({ letter, result }) => [letter, result])).toEqual([
    ['l1', null],
    ['l1', null],
  ]);
  carried[0]!.end(200);
  await turns();
  expect(carried).toHaveLength(2);
  carried[1]!.end(200);
  await turns();
  clock.advance(REPLAY_RENEWED_EVERY_MS);
  expect(results().map(({ letter }) => letter)).toEqual(['l1', 'l2']);
  expect(told).toHaveLength(4);
});

test('bytes that are not what their name says go nowhere', async () => {
  collector.body = Buffer.from('{"method":"DELETE","url":"/billing/all","headers":[]}\n');
  waiting = [claimed('l1')];
  replays.wake(WHO);
  await turns();
  expect(carried).toEqual([]);
  const why = expect.stringContaining('is not what its name says') as string;
  expect(results()).toMatchObject([{ result: { status: 'failure', why } }]);
});

test('what a collector that is away was not told, it is told again; what it does not want to hear, not', async () => {
  waiting = [claimed('l1')];
  collector.failing = new Error('away');
  replays.wake(WHO);
  await turns();
  carried[0]!.end(200);
  await turns();
  collector.failing = null;
  clock.advance(2_000);
  await turns();
  expect(results()).toHaveLength(1);

  waiting = [claimed('l2')];
  replays.wake(WHO);
  await turns();
  collector.failing = new ControlPlaneError(409, 'not yours');
  carried[1]!.end(200);
  await turns();
  collector.failing = null;
  clock.advance(60_000);
  await turns();
  expect(results()).toHaveLength(1);
});

test('without a door nothing is taken, and after the stop nothing more', async () => {
  const early = createReplays({
    claim: async () => claimed('never'),
    report: async () => undefined,
    body: async () => KEPT,
    keepAnswer: () => null,
    clock,
    log: silentLog,
  });
  early.wake(WHO);
  replays.stop();
  waiting = [claimed('l1')];
  replays.wake(WHO);
  await turns();
  expect([waiting.length, carried.length]).toEqual([1, 0]);
});

test('a replay that leaves no record is told as one', async () => {
  waiting = [claimed('l1')];
  replays.open(async () => ({ status: 502, body: Buffer.alloc(0) }));
  replays.wake(WHO);
  await turns();
  clock.advance(5_000);
  await turns();
  expect(results()).toMatchObject([{ answer: '', result: { http_status: 502, status: 'failure' } }]);
});

test('what is told is what came of its last attempt', async () => {
  const replayOf = 'l1';
  const attemptThat = (status: 'success' | 'failure', httpStatus: number) =>
    replays.ended(exampleRecord({ replayOf, status, httpStatus }));
  waiting = [claimed('l1'), claimed('l1'), claimed('l1')];
  replays.open(async () => {
    attemptThat('failure', 0);
    attemptThat('success', 200);
    return { status: 200, body: Buffer.from('done') };
  });
  replays.wake(WHO);
  await turns();
  expect(results()[0]).toMatchObject({ result: { status: 'success', http_status: 200 } });
  expect(results()).toHaveLength(3);
  replays.open(async () => {
    attemptThat('failure', 0);
    return { status: 200, body: Buffer.from('done') };
  });
  waiting = [claimed('l1')];
  replays.wake(WHO);
  await turns();
  expect(results()).toHaveLength(3);
  attemptThat('success', 200);
  await turns();
  expect(results()[3]).toMatchObject({ result: { status: 'success', http_status: 200 } });
});

test('a sidecar that slept after it took a replay carries none that may be another’s by now', async () => {
  const slow = Promise.withResolvers<Buffer>();
  collector.body = slow.promise;
  waiting = [claimed('l1')];
  replays.wake(WHO);
  await turns();
  clock.advance(REPLAY_LEASE_MS);
  slow.resolve(KEPT);
  await turns();
  expect(carried).toEqual([]);
  const why = expect.stringContaining('too late') as string;
  expect(results()).toMatchObject([{ result: { status: 'failure', why } }]);
});
