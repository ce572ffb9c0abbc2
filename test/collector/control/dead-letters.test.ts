// Dead letters on a real database: what folds, what recovers, what is bounded; and that a replay is given once.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openLetters } from '../../../collector/control/alert-facts.ts';
import {
  type DeadLetters,
  type FailedCallRow,
  openDeadLetters,
} from '../../../collector/control/dead-letters.ts';
import { createKeptBodies } from '../../../collector/control/kept-bodies.ts';
import { DEAD_LETTER_STATES, REPLAY_LEASE_MS, REPLAY_QUEUED_MS } from '../../../contract/dead-letter.ts';
import { silentLog } from '../../../kit/log.ts';
import { nameOf } from '../../../sidecar/dead-letters/dead-letters.ts';
import { type ManualClock, manualClock } from '../../support/manual-clock.ts';
import { type Database, openBench } from './bench.ts';

const BODY = Buffer.from('{"method":"POST","url":"/billing/charges","headers":[]}\n{"amount":3}');
const KEPT = nameOf(BODY);

let bench: Awaited<ReturnType<typeof openBench>>;
let database: Database;
let clock: ManualClock;
let letters: DeadLetters;
let woken: string[];
let count = 0;

beforeAll(async () => {
  bench = await openBench();
  database = bench.database;
});
afterAll(() => bench.close());
beforeEach(async () => {
  await database.query('truncate dead_letters, dead_letter_calls, kept_bodies, control_events');
  clock = manualClock();
  woken = [];
  letters = await open();
  await createKeptBodies(database, clock).put(KEPT, BODY);
});

const open = (openMax?: number): Promise<DeadLetters> =>
  openDeadLetters({
    database,
    retention: { tracesDays: 30, bodiesDays: 14 },
    queued: (agent) => woken.push(agent),
    clock,
    log: silentLog,
    ...(openMax === undefined ? {} : { openMax }),
  });

/** A failed call as the store has it; ids of 32 digits, in order. */
function failed(more: FailedCallRow = {}): FailedCallRow {
  count += 1;
  return {
    ...{ ended_ms: String(clock.nowMs() + count), mark: 'outcome_unknown', call_digest: 'd1' },
    ...{ call_id: count.toString(16).padStart(32, '0'), replay_of: '', agent_id: 'scout', task_id: 't1' },
    ...{ upstream: 'billing', target: 'http POST billing/charges', request: KEPT, answer: '', not_kept: '' },
    ...{ error_type: 'upstream_timeout', http_status: 504, message: '', trace_id: 'a', span_id: 'b' },
    ...more,
  };
}
const take = (...calls: FailedCallRow[]) => letters.take(calls, clock.nowMs());
const all = (which = letters) => which.list({ states: DEAD_LETTER_STATES, limit: 1000 });
const events = async () =>
  (await database.query<{ event: string }>('select event from control_events order by id')).map(({ event }) =>
    event.replace('dead_letter_', ''),
  );
const idOf = ({ call_id }: FailedCallRow): string => String(call_id);

describe('a failed call', () => {
  test('is a letter named by it, once, however often its record is read', async () => {
    const call = failed();
    await take(call);
    await take(call, call);
    expect(await all()).toEqual([
      {
        letter_id: idOf(call),
        state: 'open',
        kind: 'outcome_unknown',
        ...{ agent: 'scout', task: 't1', upstream: 'billing' },
        ...{ since: call.ended_ms, last_seen: call.ended_ms, calls: '1', folded: '0' },
        ...{ request: KEPT, answer: '', not_kept: '' },
        ...{ asked_by: '', attempt: '0', result: null },
        ...{ closed_at: null, closed_by: '', reason: '' },
        facts: call,
      },
    ]);
    expect(await events()).toEqual(['arrived']);
  });

  test('that fails again adds to its letter, which stays unknown once it was', async () => {
    const [first, second, third] = [
      failed(),
      failed({ mark: 'failed', http_status: 500 }),
      failed({ mark: 'failed' }),
    ];
    await take(first, second);
    await take(third);
    const [letter, ...none] = await all();
    expect(none).toEqual([]);
    expect(letter).toMatchObject({ calls: '3', kind: 'outcome_unknown', last_seen: third.ended_ms });
    expect((await letters.callsOf(idOf(first), 10)).map(idOf)).toEqual([first, second, third].map(idOf));
    expect(await events()).toEqual(['arrived']);
  });

  test.each([
    ['agent', { agent_id: 'editor' }],
    ['task', { task_id: 't2' }],
    ['question', { call_digest: 'd2' }],
  ])('of another %s is another letter', async (_, other) => {
    await take(failed(), failed(other));
    expect(await all()).toHaveLength(2);
  });

  test('that nothing identifies is told apart by its target, and never known to recover', async () => {
    const nameless = { call_digest: '' };
    await take(
      failed(nameless),
      failed(nameless),
      failed({ ...nameless, target: 'http POST billing/refunds' }),
    );
    await take(failed({ ...nameless, mark: 'recovered' }));
    expect((await all()).map(({ calls, state }) => [calls, state])).toEqual([
      ['1', 'open'],
      ['2', 'open'],
    ]);
  });

  test('is recovered when the same call comes through, and erased, but not by one that ended before', async () => {
    const early = failed({ mark: 'recovered' });
    await take(failed(), early);
    await take(early);
    expect(await all()).toMatchObject([{ state: 'open' }]);
    await take(failed({ mark: 'recovered' }));
    expect(await all()).toMatchObject([
      { state: 'recovered', closed_by: 'collector', request: '', not_kept: 'erased' },
    ]);
    expect(await createKeptBodies(database, clock).get(KEPT)).toBeUndefined();
    expect(await events()).toEqual(['arrived', 'recovered']);
  });

  test('after its letter is closed is a new one', async () => {
    await take(failed(), failed({ mark: 'recovered' }), failed());
    expect((await all()).map(({ state }) => state)).toEqual(['open', 'recovered']);
  });
});

describe('a storm', () => {
  test('of one call is one letter; of many, as many as an agent may have, and a count', async () => {
    letters = await open(5);
    await take(...Array.from({ length: 200 }, () => failed()));
    expect(await all()).toMatchObject([{ calls: '200', folded: '0' }]);
    await take(...Array.from({ length: 100 }, (_, i) => failed({ call_digest: `storm-${i}` })));
    const now = await all();
    expect(now).toHaveLength(5);
    expect(now.map(({ folded }) => Number(folded)).reduce((a, b) => a + b)).toBe(96);
    expect(await events()).toEqual(Array.from({ length: 5 }, () => 'arrived'));
    expect(await openLetters(database)).toEqual([
      { agent: 'scout', upstream: 'billing', letters: 5, calls: 300, kind: 'outcome_unknown' },
    ]);
  });

  test('leaves room for another kind by letting the oldest go, and for other agents anyway', async () => {
    letters = await open(2);
    const first = failed();
    await take(
      first,
      failed({ call_digest: 'd2' }),
      failed({ call_digest: 'd3', upstream: 'mail', mark: 'failed' }),
    );
    await take(failed({ agent_id: 'editor' }));
    const states = new Map((await all()).map(({ letter_id, state }) => [letter_id, state]));
    expect([...states.values()].sort()).toEqual(['discarded', 'open', 'open', 'open']);
    expect(states.get(idOf(first))).toBe('discarded');
  });
});

describe('discarding', () => {
  test('closes a letter with who and why, and erases what nothing else names', async () => {
    const [one, other] = [failed(), failed({ call_digest: 'd2' })];
    await take(one, other);
    const found = await letters.find(idOf(one));
    const bodies = createKeptBodies(database, clock);
    expect(await letters.discard(idOf(one), 'refunded by hand', 'anna')).toBe('done');
    expect(await bodies.get(KEPT)).toEqual(BODY);
    expect(await letters.discard(idOf(other), 'too', 'anna')).toBe('done');
    expect(await bodies.get(KEPT)).toBeUndefined();
    expect(await letters.discard(idOf(one), 'again', 'anna')).toBe('discarded');
    expect(await letters.find(idOf(one))).toEqual({
      ...found,
      state: 'discarded',
      closed_by: 'anna',
      closed_at: String(clock.nowMs()),
      reason: 'refunded by hand',
      request: '',
      not_kept: 'erased',
    });
    expect(await letters.discard('f'.repeat(32), 'none', 'anna')).toBe('unknown_letter');
    expect(await events()).toEqual(['arrived', 'arrived', 'discarded', 'discarded']);
  });
});

describe('a replay', () => {
  const claim = (instance = 'a') => letters.claim({ agent: 'scout', instance });
  const result = { call_id: 'c', status: 'success', http_status: 200, refusal: '', error_type: '', why: '' };

  test('of what may have happened is only asked for knowingly', async () => {
    const call = failed();
    await take(call);
    expect(await letters.askReplay(idOf(call), false, 'anna')).toBe('may_have_happened');
    expect(await letters.askReplay(idOf(call), true, 'anna')).toEqual({
      untilMs: clock.nowMs() + REPLAY_QUEUED_MS,
    });
    expect([woken, letters.queuedFor('scout'), letters.queuedFor('editor')]).toEqual([['scout'], 1, 0]);
    expect(await letters.askReplay(idOf(call), true, 'anna')).toBe('queued');
  });

  test.each([
    ['nothing was kept', { request: '', not_kept: 'capture' }],
    ['it was kept redacted', { not_kept: 'redacted' }],
    ['what was kept has not come', { request: 'e'.repeat(64) }],
  ])('is not possible where %s', async (_, facts) => {
    const call = failed({ ...facts, mark: 'failed' });
    await take(call);
    expect(await letters.askReplay(idOf(call), true, 'anna')).toBe('not_kept');
  });

  test('is given to one sidecar of its agent, whose word alone ends it, once', async () => {
    const call = failed({ mark: 'failed' });
    await take(call);
    await letters.askReplay(idOf(call), false, 'anna');
    expect(await letters.claim({ agent: 'editor', instance: 'a' })).toBeNull();
    const given = await Promise.all(['a', 'b', 'c', 'd'].map((instance) => claim(instance)));
    const [claimed, ...others] = given.filter((each) => each !== null);
    expect(others).toEqual([]);
    const instance = ['a', 'b', 'c', 'd'][given.indexOf(claimed!)]!;
    expect(claimed).toMatchObject({
      letter: idOf(call),
      attempt: 1,
      agent: 'scout',
      task: 't1',
      request: KEPT,
    });
    expect(letters.queuedFor('scout')).toBe(0);
    const said = { instance, result, answer: '' };
    expect(await letters.report(idOf(call), 1, { ...said, instance: 'z' })).toBe(false);
    expect(await letters.report(idOf(call), 2, said)).toBe(false);
    expect(await letters.report(idOf(call), 1, said)).toBe(true);
    expect(await letters.report(idOf(call), 1, said)).toBe(false);
    expect(await letters.find(idOf(call))).toMatchObject({ state: 'replayed', closed_by: 'anna', result });
    expect(await letters.askReplay(idOf(call), true, 'anna')).toBe('replayed');
    expect(await events()).toEqual(['arrived', 'replay_asked', 'replayed']);
  });

  test('that fails leaves its letter open, and its own record belongs to it', async () => {
    const call = failed({ mark: 'failed' });
    await take(call);
    await letters.askReplay(idOf(call), false, 'anna');
    await claim();
    const refused = { ...result, status: 'refused', http_status: 402, refusal: 'over_budget' };
    expect(await letters.report(idOf(call), 1, { instance: 'a', result: refused, answer: '' })).toBe(true);
    await take(failed({ mark: 'failed', replay_of: idOf(call) }));
    expect(await all()).toMatchObject([{ state: 'open', calls: '2', result: { refusal: 'over_budget' } }]);
    await letters.askReplay(idOf(call), false, 'anna');
    expect(await claim('b')).toMatchObject({ attempt: 2 });
  });

  test('whose sidecar is not heard of again may have happened, and is not repeated by itself', async () => {
    const call = failed({ mark: 'failed' });
    await take(call);
    await letters.askReplay(idOf(call), false, 'anna');
    await claim();
    clock.advance(REPLAY_LEASE_MS - 1);
    expect(await letters.report(idOf(call), 1, { instance: 'a', result: null, answer: '' })).toBe(true);
    clock.advance(REPLAY_LEASE_MS - 1);
    letters = await open();
    expect(await all()).toMatchObject([{ state: 'replaying' }]);
    clock.advance(1);
    letters = await open();
    expect(await all()).toMatchObject([{ state: 'open', kind: 'outcome_unknown' }]);
    expect(await claim('b')).toBeNull();
    expect(await letters.askReplay(idOf(call), false, 'anna')).toBe('may_have_happened');
    // it was only slow, and nobody else was given the letter: what it says is true
    expect(await letters.report(idOf(call), 1, { instance: 'a', result, answer: '' })).toBe(true);
    expect(await all()).toMatchObject([{ state: 'replayed' }]);
  });

  test('that no sidecar takes within the hour is off', async () => {
    const call = failed({ mark: 'failed' });
    await take(call);
    await letters.askReplay(idOf(call), false, 'anna');
    clock.advance(REPLAY_QUEUED_MS);
    expect(await claim()).toBeNull();
    letters = await open();
    const why = expect.stringContaining('no sidecar') as string;
    expect(await all()).toMatchObject([{ state: 'open', kind: 'failed', result: { why } }]);
  });
});

test('bodies go when their time is over, and their letters say so', async () => {
  const call = failed();
  await take(call);
  clock.advance(15 * 86_400_000);
  letters = await open();
  expect(await letters.find(idOf(call))).toMatchObject({ state: 'open', request: '', not_kept: 'erased' });
  expect(await createKeptBodies(database, clock).get(KEPT)).toBeUndefined();
});

test('bytes are kept under their own name alone', async () => {
  const bodies = createKeptBodies(database, clock, BODY.length + 1);
  expect(await bodies.put('0'.repeat(64), BODY)).toBe('misnamed');
  expect(await bodies.put(nameOf(Buffer.from('xy')), Buffer.from('xy'))).toBe('full');
});

test('of many failed calls every id is known, and the last twenty say more', async () => {
  const calls = Array.from({ length: 50 }, () => failed());
  await letters.take(calls, 0);
  await letters.take(calls, 0);
  const { letter_id: letter, calls: counted } = (await letters.list({ states: ['open'], limit: 9 }))[0]!;
  const shown = await letters.callsOf(letter, 20);
  expect([counted, shown]).toEqual(['50', calls.slice(-20)]);
  const rows = await database.query("select 1 from dead_letter_calls where facts = '{}'");
  expect(rows).toHaveLength(30);
});

describe('a body', () => {
  const kept = async (text: string): Promise<string> => {
    const bytes = Buffer.from(text);
    await createKeptBodies(database, clock).put(nameOf(bytes), bytes);
    return nameOf(bytes);
  };
  const names = async () =>
    (await database.query<{ name: string }>('select sha256 as name from kept_bodies')).map(
      ({ name }) => name,
    );

  test('goes when the same call fails again with another, unless a letter names it', async () => {
    const [first, shared, last] = [await kept('first'), await kept('shared'), await kept('last')];
    await letters.take([failed({ call_digest: 'other', request: shared })], 0);
    for (const request of [first, shared, last]) await letters.take([failed({ request })], 0);
    expect((await names()).sort()).toEqual([KEPT, shared, last].sort());
  });

  test('that no letter came for goes within a day or two', async () => {
    await letters.take([failed()], 0);
    await kept('orphan');
    clock.advance(25 * 3_600_000);
    letters = await open(); // it tidies at the start
    expect(await names()).toEqual([KEPT]);
  });
});
