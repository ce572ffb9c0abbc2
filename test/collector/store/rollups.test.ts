// Rollups say what `actions` says, and tasks know how they ended.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Store } from '../../../collector/store/store.ts';
import { ATTRIBUTES as A, SCOPE_NAME } from '../../../contract/attributes.ts';
import { type OpenedStore, openAnyStore, RECEIVED_AT } from './open.ts';
import { type Attributes, requestBytes, type Span } from './otlp.ts';
import { ROLLUP_NAMES, rollupBothWays } from './rollups.ts';

const SIDECAR = { name: SCOPE_NAME, version: '0.1.0' };
const MINUTE = 60_000_000_000n;
const CALLS = 2_000;
/** The start of an hour, three hours ago: what an hour's call falls into does not depend on when this runs. */
const START = RECEIVED_AT - (RECEIVED_AT % (60n * MINUTE)) - 180n * MINUTE;

function call(number: number, attributes: Attributes, offset: bigint, durationMs: number): Span {
  const spanId = Buffer.alloc(8);
  spanId.writeUInt32BE(number + 1, 4);
  const startUnixNano = START + offset;
  return {
    traceId: Buffer.alloc(16, 7),
    spanId,
    name: 'chat',
    startUnixNano,
    endUnixNano: startUnixNano + BigInt(Math.round(durationMs * 1e6)),
    attributes: { [A.callId]: `call-${number}`, ...attributes },
  };
}

/** Calls of 4 agents over 2½ hours, a tenth refused, a few failed; every seventh has no known cost. */
function manyCalls(): Span[] {
  return Array.from({ length: CALLS }, (_, number) => {
    const agent = `agent-${number % 4}`;
    const status = number % 10 === 3 ? 'refused' : number % 23 === 5 ? 'timeout' : 'success';
    const attributes: Attributes = {
      [A.agent]: agent,
      [A.department]: number % 2 ? 'marketing' : 'news',
      [A.owner]: 'leads',
      [A.fleet]: 'content',
      [A.task]: `task-${Math.floor(number / 100)}`,
      ...(number % 4 === 0 ? {} : { [A.callerAgent]: `agent-${(number % 4) - 1}` }),
      [A.grantor]: 'anna',
      [A.action]: number % 5 === 1 ? 'tool_use' : 'llm_inference',
      [A.target]: number % 5 === 1 ? `files/tool-${number % 9}` : `openai/model-${number % 3}`,
      [A.upstream]: 'openai',
      [A.model]: `model-${number % 3}`,
      [A.verdict]: status === 'refused' ? 'deny' : 'allow',
      [A.status]: status,
      [A.inputTokens]: 100 + number,
      [A.outputTokens]: number % 50,
      ...(number % 7 === 0 ? {} : { [A.cost]: 11_000_000_001 + number }),
    };
    return call(number, attributes, (150n * MINUTE * BigInt(number)) / BigInt(CALLS), 1 + (number % 100));
  });
}

let opened: OpenedStore<Store>;
beforeAll(async () => {
  opened = await openAnyStore();
  const spans = manyCalls();
  for (const at of [0, 700, 1400]) {
    const request = requestBytes({ scope: SIDECAR, spans: spans.slice(at, at + 700) });
    const segment = opened.segment(`calls-${at}`, [request], 'agent-0/host');
    await opened.store.load(segment);
    await opened.store.load(segment);
  }
});
afterAll(() => opened.close());

test.each(ROLLUP_NAMES)('%s equal what actions add up to, though each segment came twice', async (name) => {
  const { kept, anew } = await rollupBothWays(opened.store, name);
  expect(kept.length).toBeGreaterThan(100);
  expect(kept).toBe(anew);
});

test('money beyond a 64-bit product of two nanodollar scales stays exact', async () => {
  const [row] = await opened.store.query(`SELECT sum(cost_nanodollars) AS rolled,
    (SELECT sum(cost_usd) FROM actions) AS usd FROM calls_1h`);
  const expected = Array.from({ length: CALLS }, (_, number) => number)
    .filter((number) => number % 7 !== 0)
    .reduce((sum, number) => sum + 11_000_000_001n + BigInt(number), 0n);
  expect(row).toEqual({
    rolled: String(expected),
    usd: `${expected / 1_000_000_000n}.${String(expected % 1_000_000_000n).padStart(9, '0')}`,
  });
});

test.each(['calls_1m', 'calls_1h'])('%s know how long calls took, near enough', async (table) => {
  const [row] = await opened.store.query<{ quantiles: number[] }>(
    `SELECT quantilesTDigestMerge(0.5, 0.95, 0.99)(duration_quantiles) AS quantiles FROM ${table}`,
  );
  // Durations are 1 to 100 ms, evenly.
  const [median, p95, p99] = row!.quantiles;
  expect(Math.abs(median! - 50)).toBeLessThan(3);
  expect(Math.abs(p95! - 95)).toBeLessThan(3);
  expect(Math.abs(p99! - 99)).toBeLessThan(2);
});

describe('tasks', () => {
  test('are open until somebody says how they ended', async () => {
    const [row] = await opened.store.query(
      `SELECT state, ended_at, output_units, caller_agent, grantor, calls FROM tasks
       WHERE agent_id = 'agent-1' AND task_id = 'task-3'`,
    );
    expect(row).toEqual({
      state: 'open',
      ended_at: null,
      output_units: null,
      caller_agent: 'agent-0',
      grantor: 'anna',
      calls: '25',
    });
  });
});

test('policies and control events can be asked before there are any', async () => {
  const [row] = await opened.store.query(
    'SELECT (SELECT count() FROM control_events) AS events, (SELECT count() FROM policies) AS policies',
  );
  expect(row).toEqual({ events: '0', policies: '0' });
});
