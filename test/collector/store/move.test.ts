// Tables on their way from the embedded store to a server, alone and as a cluster: all rows, once, however often it broke
// off, and a server that goes on from there as if it had always been the one.

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { genaiRequest } from '../../../bench/genai-spans.ts';
import { StoreUnavailable } from '../../../collector/store/failures.ts';
import { exportTables, importTables, type Move, unfinishedMove } from '../../../collector/store/move.ts';
import { reachServer } from '../../../collector/store/server/reach.ts';
import { type Double, startDouble } from '../../support/clickhouse-double.ts';
import { type OpenedStore, openServerTestStore, openTestStore, RECEIVED_AT } from './open.ts';
import { ROLLUP_NAMES, rollupBothWays } from './rollups.ts';

const SPANS = 40;
const ID = '2026-11-21T00:00:00.000Z';
const nothing = () => undefined;

let opened: OpenedStore;
let double: Double;

const segmentOf = (
  to: OpenedStore<OpenedStore['store'] | Awaited<ReturnType<typeof openServerTestStore>>['store']>,
  n: number,
) =>
  to.segment(
    `${String(n).padStart(12, '0')}-00c0ffee`,
    [genaiRequest('record', n * SPANS, SPANS, RECEIVED_AT - 3_600_000_000_000n)],
    'scout/host-1',
  );

beforeAll(async () => {
  [opened, double] = await Promise.all([openTestStore(), startDouble({ cluster: 'fleet' })]);
  for (const n of [1, 2]) await opened.store.load(segmentOf(opened, n));
});
afterAll(async () => {
  await opened.close();
  await double.stop();
});

const exported = (name: string): Promise<Move> =>
  exportTables(opened.store, { folder: join(opened.directory, name), id: ID, progress: nothing });

/** The shape of a cluster doubles the time: MOVE_TO_CLUSTER=1 goes there too. */
const CLUSTERS = process.env.MOVE_TO_CLUSTER === '1' ? [null, 'fleet'] : [null];

describe.each(CLUSTERS)('a move to a server, cluster %s', (cluster) => {
  test('that breaks off goes on where it was, and the server goes on from there', async () => {
    const folder = join(opened.directory, `moving-${cluster}`);
    const url = await double.database();
    const server = reachServer({ url, cluster });
    const move = await exported(`moving-${cluster}`);
    expect(move.chunks.length).toBeGreaterThan(8);
    const into = { folder, move, progress: nothing };
    double.next(move.chunks[3]!.file, 'done, unanswered');
    await expect(importTables(server, into)).rejects.toThrow(StoreUnavailable);
    expect(await unfinishedMove(folder, 'another')).toBeNull();
    expect(await unfinishedMove(folder, ID)).toEqual(move);
    await importTables(server, into);
    await server.close();

    const there = await openServerTestStore({ url, cluster });
    expect(await there.store.query('SELECT count() AS rows FROM otel_traces')).toEqual([
      { rows: String(2 * SPANS) },
    ]);
    for (const n of [3, 3]) expect(await there.store.load(segmentOf(there, n))).toEqual({ items: SPANS });
    expect(await there.store.query('SELECT count() AS rows FROM actions')).toEqual([
      { rows: String(3 * SPANS) },
    ]);
    for (const name of ROLLUP_NAMES) {
      const { kept, anew } = await rollupBothWays(there.store, name);
      expect(kept, name).toBe(anew);
    }
    await there.close();
  });
});

test('nothing is moved into a database where a collector lives, or where another backup is on its way', async () => {
  const url = await double.database();
  const lives = await openServerTestStore({ url });
  await lives.close();
  const move = { id: ID, chunks: [], figures: {} };
  const into = { folder: opened.directory, move, progress: nothing };
  const server = reachServer({ url, cluster: null });
  await expect(importTables(server, into)).rejects.toThrow('holds tables of a collector already');
  await server.close();

  const other = reachServer({ url: await double.database(), cluster: null });
  double.next('CREATE TABLE IF NOT EXISTS otel_traces', 241);
  await expect(importTables(other, into)).rejects.toThrow();
  await expect(importTables(other, { ...into, move: { ...move, id: 'other' } })).rejects.toThrow(
    'Another backup was being moved',
  );
  await other.close();
});

test('a row that is not what was exported is found before the views are made', async () => {
  const server = reachServer({ url: await double.database(), cluster: null });
  const move = await exported('altered');
  const wrong = { rows: move.figures.actions!.rows, digest: '1' };
  const altered = { ...move, figures: { ...move.figures, actions: wrong } };
  const into = { folder: join(opened.directory, 'altered'), move: altered, progress: nothing };
  await expect(importTables(server, into)).rejects.toThrow('The rows of actions on the server are not those');
  await server.close();
});
