// A server (its stand-in) killed after it wrote that a table has a block, and before the table had it: the load that comes
// again finds out, and every table that keeps a row for each thing has all of them, once.

import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { StoreUnavailable } from '../../../../collector/store/failures.ts';
import { rebuildTable } from '../../../../collector/store/rebuild.ts';
import type { Segment, Store } from '../../../../collector/store/store.ts';
import { ATTRIBUTES as A, SCOPE_NAME } from '../../../../contract/attributes.ts';
import { REBUILDABLE } from '../../../../contract/rebuild.ts';
import { systemClock } from '../../../../kit/clock.ts';
import { silentLog } from '../../../../kit/log.ts';
import { type Double, startDouble } from '../../../support/clickhouse-double.ts';
import {
  type OpenedStore,
  openServerTestStore,
  openTestStore,
  RECEIVED_AT,
  temporaryDirectory,
} from '../open.ts';
import { requestBytes } from '../otlp.ts';

const SPANS = 20;
const said: { readonly event: string; readonly mended?: unknown }[] = [];
const warn = (event: string, fields?: object) => {
  if (event !== 'store_lost') said.push({ event, ...fields });
};

let double: Double;
let opened: OpenedStore<Store>;
let drawn = 0;
let isControlAway = false;
const doubted: { readonly tables: readonly string[]; readonly segment: string }[] = [];

beforeAll(async () => {
  double = await startDouble();
  const log = { ...silentLog, warn, error: warn };
  const note = async (tables: readonly string[], segment: string): Promise<void> => {
    if (isControlAway) throw new Error('control database away');
    doubted.push({ tables, segment });
  };
  opened = await openServerTestStore({
    url: await double.database(),
    doubted: note,
    clock: systemClock,
    log,
  });
  await opened.store.load(segment());
});
afterAll(async () => {
  await opened.close();
  await double.stop();
});
beforeEach(() => {
  said.splice(0);
  doubted.splice(0);
});

/** Calls that asked for a tool, of two days, so that most tables get two parts of it. */
function segment(to: Pick<OpenedStore, 'segment'> = opened): Segment {
  drawn += 1;
  const spans = Array.from({ length: SPANS }, (_, at) => {
    const startUnixNano = RECEIVED_AT - BigInt(at % 2) * 40n * 86_400_000_000_000n;
    return {
      traceId: Buffer.alloc(16, drawn),
      spanId: Buffer.from([drawn, at, 0, 0, 0, 0, 0, 1]),
      name: 'chat',
      startUnixNano,
      endUnixNano: startUnixNano + 5n,
      attributes: {
        [A.callId]: `call-${drawn}-${at}`,
        [A.agent]: 'scout',
        [A.task]: 'task',
        [A.status]: 'success',
      },
      events: [
        {
          name: 'outrider.tool_request',
          atUnixNano: startUnixNano,
          attributes: { 'gen_ai.tool.name': 'search', 'gen_ai.tool.call.id': `tool-${at}` },
        },
      ],
    };
  });
  const request = requestBytes({ scope: { name: SCOPE_NAME }, spans });
  return to.segment(`${String(drawn).padStart(12, '0')}-00c0ffee`, [request], 'scout/host-1');
}

const counts = async () =>
  Object.values(
    (
      await opened.store.query<Record<string, string>>(
        `SELECT (SELECT count() FROM otel_traces) AS traces, (SELECT count() FROM actions) AS actions,
           (SELECT count() FROM tool_requests) AS tools, (SELECT sum(Spans) FROM otel_segments) AS items,
           (SELECT sum(calls) FROM calls_1m) AS calls, (SELECT sum(calls) FROM agent_edge_calls) AS edges`,
      )
    )[0]!,
  ).map(Number);

/** What the table's own log names last. */
async function lastPartOf(table: string): Promise<(directory: string) => void> {
  const [row] = await opened.store.query<{ uuid: string }>(
    'SELECT toString(uuid) AS uuid FROM system.tables WHERE database = currentDatabase() AND name = {table:String}',
    { table },
  );
  const uuid = row!.uuid;
  return (directory) => {
    const folder = join(directory, 'clickhouse', 'store', uuid.slice(0, 3), uuid);
    const logs = join(folder, 'deduplication_logs');
    const newest = readdirSync(logs).sort().at(-1)!;
    const part = readFileSync(join(logs, newest), 'utf8').trimEnd().split('\n').at(-1)!.split('\t')[1]!;
    rmSync(join(folder, part), { recursive: true });
  };
}

/** Loads a segment whose answer is lost, and takes away what the server was about to have. */
async function killedAt(
  table: string,
): Promise<{ readonly one: Segment; readonly whole: readonly number[] }> {
  const one = segment();
  double.next('INSERT INTO otel_traces', 'done, unanswered');
  await expect(opened.store.load(one)).rejects.toThrow(StoreUnavailable);
  const whole = await counts();
  await opened.store.command('SYSTEM STOP MERGES');
  await double.crash(await lastPartOf(table));
  expect(await counts()).not.toEqual(whole);
  return { one, whole };
}

test.each(['otel_traces', 'actions', 'tool_requests', 'otel_segments'])(
  'COL-01: what a killed server noted of %s and did not have is there after the next try',
  async (table) => {
    const { one, whole } = await killedAt(table);
    expect(await opened.store.load(one)).toEqual({ items: SPANS });
    expect(await counts()).toEqual(whole);
    expect(said).toMatchObject([
      { event: 'store_mended', mended: [{ table, rows: expect.any(Number) as number }] },
    ]);
    const left = await opened.store.query("SELECT name FROM system.tables WHERE name LIKE '%\\_of\\_%'");
    expect(left).toEqual([]);
  },
);

test('a sum that lacks a block is in doubt, on record, and whole once what the log names is made anew', async () => {
  const { one, whole } = await killedAt('calls_1m');
  isControlAway = true;
  await expect(opened.store.load(one)).rejects.toThrow('control database away');
  isControlAway = false;
  expect(await opened.store.load(one)).toEqual({ items: SPANS });
  const sums = REBUILDABLE.filter((table) => table !== 'task_ends'); // which control events alone fill
  expect(doubted).toEqual([{ tables: sums, segment: one.id }]);
  expect(said).toEqual([
    { event: 'store_sums_in_doubt', segment: one.id, run: `outrider store rebuild ${sums.join(' ')}` },
  ]);
  expect(await counts()).not.toEqual(whole);
  for (const table of sums) await rebuildTable(opened.store, table);
  expect(await counts()).toEqual(whole);
});

test('COL-01: a first life that migrated, loaded and was killed is followed by one that adds nothing', async () => {
  const directory = temporaryDirectory();
  const first = await openTestStore({ dataDirectory: directory });
  const one = segment(first);
  await first.store.load(one);
  await first.store.close(); // by SIGKILL, as ever
  const second = await openTestStore({ dataDirectory: directory });
  expect(await second.store.load(one)).toEqual({ items: SPANS });
  expect(
    await second.store.query('SELECT count() AS rows, uniqExact(call_id) AS calls FROM actions'),
  ).toEqual([{ rows: String(SPANS), calls: String(SPANS) }]);
  await second.close();
});

test('a load whose answer was lost by a server that lives on is not looked at', async () => {
  const one = segment();
  double.next('INSERT INTO otel_traces', 'done, unanswered');
  await expect(opened.store.load(one)).rejects.toThrow(StoreUnavailable);
  expect(await opened.store.load(one)).toEqual({ items: SPANS });
  expect(said).toEqual([]);
  expect(doubted).toEqual([]);
});
