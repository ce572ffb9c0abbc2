// A store killed after it wrote that it has a block, and before it had it: what the replay must bring all the same.

import { appendFileSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { forgetUncommitted } from '../../../../collector/store/embedded/deduplication-log.ts';
import { ATTRIBUTES as A, SCOPE_NAME } from '../../../../contract/attributes.ts';
import { type OpenedStore, openTestStore, RECEIVED_AT } from '../open.ts';
import { requestBytes, type Span } from '../otlp.ts';

const SIDECAR = { name: SCOPE_NAME, version: '0.1.0' };

let opened: OpenedStore;
afterEach(() => opened.close());

const segmentOf = (number: number) => {
  const span: Span = {
    traceId: Buffer.alloc(16, number),
    spanId: Buffer.alloc(8, number),
    name: 'chat',
    startUnixNano: RECEIVED_AT - 1_000_000_000n,
    endUnixNano: RECEIVED_AT,
    attributes: { [A.callId]: `call-${number}`, [A.agent]: 'scout', [A.task]: 'task', [A.status]: 'success' },
  };
  const id = `${String(number).padStart(12, '0')}-00c0ffee-traces`;
  return opened.segment(id, [requestBytes({ scope: SIDECAR, spans: [span] })], 'scout/host');
};

/** Folders of the tables whose log holds anything. */
function tablesWithALog(): { readonly table: string; readonly log: string }[] {
  const root = join(opened.directory, 'clickhouse', 'store');
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => /deduplication_log_\d+\.txt$/.test(path))
    .map((path) => ({ table: join(root, path, '../..'), log: join(root, path) }))
    .filter(({ log }) => readFileSync(log).length > 0);
}

const ofTables = async () =>
  Object.values(
    (
      await opened.store.query<Record<string, string>>(
        `SELECT (SELECT count() FROM otel_traces) AS traces, (SELECT count() FROM actions) AS actions,
       (SELECT sum(calls) FROM calls_1m) AS minutes, (SELECT sum(calls) FROM tasks) AS tasks,
       (SELECT sum(calls) FROM agent_bom WHERE kind = 'upstream') AS uses, (SELECT sum(Spans) FROM otel_segments) AS items`,
      )
    )[0]!,
  );

test('COL-01: a block that is written down and not there comes with the replay, in every table', async () => {
  opened = await openTestStore();
  for (const number of [1, 2]) await opened.store.load(segmentOf(number));
  const whole = await ofTables();
  await opened.store.close();
  const tables = tablesWithALog();
  expect(tables.length).toBeGreaterThan(6);
  for (const { table, log } of tables) {
    const part = readFileSync(log, 'utf8').trimEnd().split('\n').at(-1)!.split('\t')[1]!;
    rmSync(join(table, part), { recursive: true });
  }
  opened = await openTestStore({ dataDirectory: opened.directory });
  expect(await ofTables()).not.toEqual(whole);
  for (const number of [1, 2]) expect(await opened.store.load(segmentOf(number))).toEqual({ items: 1 });
  expect(await ofTables()).toEqual(whole);
});

test('what was merged since is remembered, and a torn record is not', async () => {
  opened = await openTestStore();
  for (const number of [1, 2, 3]) await opened.store.load(segmentOf(number));
  await opened.store.command('OPTIMIZE TABLE otel_traces FINAL');
  const whole = await ofTables();
  await opened.store.close();
  const tables = tablesWithALog();
  const before = tables.map(({ log }) => readFileSync(log, 'utf8'));
  for (const { log } of tables) appendFileSync(log, '1\t2026');
  expect(forgetUncommitted(opened.directory)).toBe(tables.length);
  expect(tables.map(({ log }) => readFileSync(log, 'utf8'))).toEqual(before);
  opened = await openTestStore({ dataDirectory: opened.directory });
  for (const number of [1, 2, 3]) expect(await opened.store.load(segmentOf(number))).toEqual({ items: 1 });
  expect(await ofTables()).toEqual(whole);
});
