// From a store's records to letters, on real databases: what lands is taken, once; what a crash or an outage left untaken
// is found later.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type DeadLetters, openDeadLetters } from '../../collector/control/dead-letters.ts';
import { type DeadLetterIntake, startDeadLetterIntake } from '../../collector/dead-letter-intake.ts';
import type { Loader } from '../../collector/queue/loader.ts';
import { ATTRIBUTES as A, SCOPE_NAME } from '../../contract/attributes.ts';
import { DEAD_LETTER_STATES } from '../../contract/dead-letter.ts';
import { silentLog } from '../../kit/log.ts';
import { manualClock } from '../support/manual-clock.ts';
import { openBench } from './control/bench.ts';
import { type OpenedStore, openTestStore } from './store/open.ts';
import { type Attributes, requestBytes } from './store/otlp.ts';

let bench: Awaited<ReturnType<typeof openBench>>;
let opened: OpenedStore;
let letters: DeadLetters;
let away: boolean;
let intake: DeadLetterIntake;
let loader: Loader;
let count = 0;
const clock = manualClock(Date.now());

beforeAll(async () => {
  [bench, opened] = await Promise.all([openBench(), openTestStore()]);
});
afterAll(async () => {
  await Promise.all([bench.close(), opened.close()]);
});
beforeEach(async () => {
  away = false;
  await start();
});

async function start(): Promise<void> {
  const { database } = bench;
  letters = await openDeadLetters({
    database,
    retention: { tracesDays: 30, bodiesDays: 14 },
    queued: () => undefined,
    clock,
    log: silentLog,
  });
  intake = startDeadLetterIntake({
    ask: (sql, parameters) => opened.store.query(sql, parameters),
    letters: {
      ...letters,
      take: (calls, until) => (away ? Promise.reject(new Error('away')) : letters.take(calls, until)),
    },
    clock,
    log: silentLog,
  });
  loader = intake.following(opened.store);
}

/** Loads a segment with one span for each; answers the call ids. */
async function land(sender: string, ...spans: Attributes[]): Promise<string[]> {
  const ids = spans.map(() => (++count).toString(16).padStart(32, '0'));
  const request = requestBytes({
    scope: { name: SCOPE_NAME },
    spans: spans.map((attributes, i) => ({
      traceId: Buffer.alloc(16, 7),
      spanId: Buffer.alloc(8, count + i),
      name: 'POST billing',
      startUnixNano: BigInt(clock.nowMs()) * 1_000_000n,
      endUnixNano: BigInt(clock.nowMs() + count + i) * 1_000_000n,
      attributes: {
        [A.callId]: ids[i]!,
        [A.agent]: 'scout',
        [A.task]: 't',
        [A.upstream]: 'billing',
        ...attributes,
      },
    })),
  });
  const id = `${String(count).padStart(12, '0')}-00c0ffee`;
  await loader.load(opened.segment(id, [request], sender, BigInt(clock.nowMs()) * 1_000_000n));
  return ids;
}

const lost = (digest: string): Attributes => ({
  [A.deadLetter]: 'outcome_unknown',
  [A.deadLetterCall]: digest,
  [A.errorType]: 'upstream_timeout',
  [A.httpStatus]: 504,
});
/** Those of these calls that are letters. */
const taken = async (ids: readonly string[]) =>
  (await letters.list({ states: DEAD_LETTER_STATES, limit: 100 }))
    .map(({ letter_id }) => letter_id)
    .filter((id) => ids.includes(id))
    .sort();

test('what a known sidecar marked is taken; what anybody else says is not, nor what is not marked', async () => {
  const ids = await land('sidecar', lost('a'), lost('b'), {});
  const foreign = await land('', lost('c'));
  await intake.settle();
  expect(await taken([...ids, ...foreign])).toEqual(ids.slice(0, 2));
  expect(await letters.find(ids[0]!)).toMatchObject({
    agent: 'scout',
    kind: 'outcome_unknown',
    facts: { error_type: 'upstream_timeout', http_status: 504 },
  });
  await intake.settle();
  expect(await letters.find(ids[0]!)).toMatchObject({ calls: '1' });
});

test('while the control database is away nothing is lost, nor the load held up', async () => {
  away = true;
  const ids = await land('sidecar', lost('d'));
  await intake.settle();
  expect(await taken(ids)).toEqual([]);
  away = false;
  await intake.settle();
  expect(await taken(ids)).toEqual(ids);
});

test('what landed before a crash and was not taken is found at the next start', async () => {
  away = true;
  const ids = await land('sidecar', lost('e'), lost('f'));
  away = false;
  await start();
  await intake.settle();
  expect(await taken(ids)).toEqual(ids);
});
