// Agents that degrade, found in a real store among others that look a little like them: flagged once, held apart where the
// config says so, and never a second time by a rule.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createDegradations } from '../../collector/control/degradations.ts';
import { openQuarantines, type Quarantines } from '../../collector/control/quarantines.ts';
import { type DegradationWatch, startDegradationWatch } from '../../collector/degradation.ts';
import type { Config } from '../../contract/config/config.ts';
import { silentLog } from '../../kit/log.ts';
import { type ManualClock, manualClock } from '../support/manual-clock.ts';
import { type Call, NOW_MS, openWorld, type World } from './alerts/world.ts';
import { configOf, openBench } from './control/bench.ts';

const HOUR_MS = 3_600_000;
const times = (count: number, call: (i: number) => Call): Call[] =>
  Array.from({ length: count }, (_, i) => call(i));
const sealed = (agent: string, number: number, requestDigest: string) => ({
  stream: agent,
  seq: number + 1,
  hash: '0'.repeat(64),
  entry: JSON.stringify({ requestDigest }),
});

let world: World;
let bench: Awaited<ReturnType<typeof openBench>>;
beforeAll(async () => {
  [world, bench] = await Promise.all([openWorld(), openBench()]);
  await world.calls([
    ...times(25, (i) => ({ agent: 'broken', ago: 1 + i / 10, status: i < 20 ? 'failure' : 'success' })),
    ...times(19, () => ({ agent: 'seldom', ago: 2, status: 'failure' })),
    ...times(30, () => ({ agent: 'long-ago', ago: 6, status: 'failure' })),
    ...times(60, () => ({ agent: 'fine', ago: 2 })),
    // its upstream fails for everybody
    ...['unlucky', 'unlucky-too'].flatMap((agent) =>
      times(25, () => ({ agent, ago: 2, upstream: 'down', status: 'timeout' })),
    ),
    ...times(24, (i) => ({
      agent: 'looper',
      ago: 3,
      target: 'openai/gpt-5',
      sealed: sealed('looper', i, 'aa'),
    })),
    ...times(19, (i) => ({ agent: 'poller', ago: 3, sealed: sealed('poller', i, 'bb') })),
    ...times(40, (i) => ({ agent: 'busy', ago: 3, sealed: sealed('busy', i, `c${i}`) })),
    ...times(40, (i) => ({ agent: 'bodiless', ago: 3, sealed: sealed('bodiless', i, '') })),
    ...times(10, () => ({ agent: 'runaway', ago: 2, tokens: 50_000 })),
    ...times(10, () => ({ agent: 'newcomer', ago: 2, tokens: 50_000 })),
  ]);
  await world.calls(times(90, (i) => ({ agent: 'runaway', ago: 24 * 60 + i, tokens: 4_000 })));
});
afterAll(async () => {
  await world.close();
  await bench.close();
});

let clock: ManualClock;
let quarantines: Quarantines;
let watch: DegradationWatch;
let config: Config;
let agents = 100;
beforeEach(async () => {
  await bench.database.query('truncate degradations, rule_quarantines, quarantines, control_events');
  agents = 100;
});

async function watching(yaml: string): Promise<void> {
  watch?.close();
  quarantines?.close();
  config = await configOf(`agents: { a: { role: any } }\nquarantine: ${yaml}`);
  clock = manualClock(NOW_MS);
  const { database } = bench;
  quarantines = await openQuarantines({ database, clock, log: silentLog, changed: () => undefined });
  watch = startDegradationWatch({
    ask: (sql, parameters) => world.store.query(sql, parameters),
    degradations: createDegradations(database, clock.nowMs),
    quarantines,
    config: () => config,
    agents: () => agents,
    clock,
    log: silentLog,
  });
}
afterAll(() => {
  watch.close();
  quarantines.close();
});

const events = () =>
  bench.database.query<{
    event: string;
    agent: string;
    reason: string;
    details: { kind: string; action: string };
  }>('select event, agent, reason, details from control_events order by id');
const found = async () =>
  (await events())
    .filter(({ event }) => event === 'agent_degraded')
    .map(({ agent, details }) => `${agent} ${details.kind} ${details.action}`);

describe('an agent that degrades', () => {
  test('is flagged with the evidence, once, and not those that only look like it', async () => {
    await watching('{}');
    await watch.round();
    await watch.round();
    const flagged = (agent: string, kind: string, reason: string) => ({
      event: 'agent_degraded',
      agent,
      reason,
      details: { kind, action: 'flagged' },
    });
    expect(await events()).toEqual([
      flagged('broken', 'failures', 'It failed in 20 of 25 calls within 5 min.'),
      flagged('looper', 'loop', 'It did the same 24 times within 5 min: openai/gpt-5.'),
      flagged('runaway', 'tokens', 'It burns 100000 tokens a minute within 5 min, 25 times its own normal.'),
    ]);
    expect(quarantines.lines()).toEqual([]);
  });

  test('by tokens alone where the config says how many; what is switched off is not looked for', async () => {
    await watching('{ tokens: 90k/minute, tokens_times: none, failure_rate: none, same_calls: none }');
    await watch.round();
    expect(await found()).toEqual(['newcomer tokens flagged', 'runaway tokens flagged']);
  });

  test('has recovered when nothing of it is found any more', async () => {
    await watching('{}');
    await watch.round();
    clock.advance(6 * 60_000);
    await watch.round();
    const ended = (await events()).filter(({ event }) => event === 'agent_recovered');
    expect(ended.map(({ agent }) => agent)).toEqual(['broken', 'looper', 'runaway']);
  });
});

describe('where a rule may hold it apart', () => {
  const HOLD = '{ degraded: quarantine, for: 1h }';

  test('it is held for the time that is written, with the evidence as the reason', async () => {
    await watching(HOLD);
    await watch.round();
    expect(
      quarantines
        .lines()
        .map(({ subject, by, ms_left, actor }) => [subject, by, ms_left, actor])
        .sort(),
    ).toEqual([
      ['agent/broken', 'rule', HOUR_MS, 'degraded.failures'],
      ['agent/looper', 'rule', HOUR_MS, 'degraded.loop'],
      ['agent/runaway', 'rule', HOUR_MS, 'degraded.tokens'],
    ]);
    expect(quarantines.lines().find(({ subject }) => subject === 'agent/looper')?.reason).toBe(
      'It did the same 24 times within 5 min: openai/gpt-5.',
    );
  });

  test('no more than a tenth of the fleet is: the rest is for a person', async () => {
    agents = 5;
    await watching(HOLD);
    await watch.round();
    expect(quarantines.lines()).toHaveLength(1);
    expect(await found()).toEqual([
      'broken failures quarantined',
      'looper loop escalated',
      'runaway tokens escalated',
    ]);
  });

  test('no agent is a second time within a day', async () => {
    await watching(HOLD);
    await watch.round();
    expect(await quarantines.lift('agent/looper', 'ana', 'looked at it')).toBe(true);
    await bench.database.query(`delete from degradations where agent = 'looper'`);
    await watch.round();
    expect(quarantines.lines().map(({ subject }) => subject)).not.toContain('agent/looper');
    expect((await found()).at(-1)).toBe('looper loop escalated');
  });

  test('what a person decided is not shortened by a rule', async () => {
    await watching(HOLD);
    await quarantines.set({ subject: 'agent/looper', reason: 'mine', for_ms: null }, 'ana', 'person');
    await watch.round();
    expect(quarantines.lines().find(({ subject }) => subject === 'agent/looper')).toMatchObject({
      by: 'person',
      until: null,
    });
  });
});

test('a model that asks for the same tool with the same arguments again and again is found by that', async () => {
  const asks = (agent: string, count: number, digest: (i: number) => string) =>
    times(count, (i) => ({ agent, ago: 2, toolAsked: { name: 'fetch_page', digest: digest(i) } }));
  await world.calls([
    ...asks('again', 21, () => 'aa'),
    ...asks('searcher', 40, (i) => `d${i}`),
    ...asks('unread', 40, () => ''),
    ...asks('twice', 19, () => 'bb'),
  ]);
  await watching('{ failure_rate: none, tokens_times: none }');
  await watch.round();
  expect(await found()).toEqual(['again loop flagged', 'looper loop flagged']);
  expect((await events())[0]?.reason).toBe('It did the same 21 times within 5 min: the tool fetch_page.');
});
