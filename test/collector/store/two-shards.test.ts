// Every question we ask ourselves or tell people to ask, planned on a cluster of two shards: one that compares rows of
// different tables must not assume that they lie on the same shard, and ClickHouse refuses to guess.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import * as degradation from '../../../collector/rollups/degradation-sql.ts';
import * as fleet from '../../../collector/rollups/fleet-sql.ts';
import { QueryFailed } from '../../../collector/store/failures.ts';
import { migrations } from '../../../collector/store/migrate.ts';
import { reachServer, type Server } from '../../../collector/store/server/reach.ts';
import { type Double, startDouble } from '../../support/clickhouse-double.ts';

const ROOT = join(import.meta.dirname, '../../..');

let double: Double;
let server: Server;

beforeAll(async () => {
  double = await startDouble({ cluster: 'fleet' });
  server = reachServer({ url: await double.database(), cluster: 'pair' });
  for (const { statements } of migrations()) {
    // Rows would go to the second shard too.
    for (const statement of statements.filter((each) => !/^\s*(?:--[^\n]*\n)*INSERT/.test(each)))
      for (const form of server.layout.statements(statement)) await server.connection.command(form);
  }
});
afterAll(async () => {
  await server.close();
  await double.stop();
});

function files(folder: string, ending: string): [name: string, text: string][] {
  const names = readdirSync(join(ROOT, folder)).filter((name) => name.endsWith(ending));
  return names.map((name) => [`${folder}/${name}`, readFileSync(join(ROOT, folder, name), 'utf8')]);
}

function questions(): [name: string, sql: string][] {
  const alerts = files('alerts', '.yaml').flatMap(([name, text]): [string, string][] => {
    const { sql } = parse(text) as { sql?: string };
    return sql === undefined ? [] : [[name, sql]];
  });
  const texts = (names: object) =>
    Object.entries(names).flatMap(([name, made]): [string, string][] => {
      const text: unknown = typeof made === 'function' && made.length === 1 ? made('agent_id') : made;
      return typeof text === 'string' && text.includes('SELECT') ? [[name, text]] : [];
    });
  const views = migrations().flatMap(({ statements }) =>
    statements.flatMap(
      (each) =>
        /^\s*(?:--[^\n]*\n)*CREATE (?:OR REPLACE )?VIEW (?:IF NOT EXISTS )?(\w+)/.exec(each)?.[1] ?? [],
    ),
  );
  const ofViews = [...new Set(views)].map((name): [string, string] => [
    `the view ${name}`,
    `SELECT * FROM ${name}`,
  ]);
  return [...files('docs/sql', '.sql'), ...alerts, ...texts(degradation), ...texts(fleet), ...ofViews];
}

/** A value for each placeholder, by its type: the plan does not depend on which. */
function filled(sql: string): string {
  return sql.replace(/\{(\w+):([^{}]+)\}/g, (_all, name: string, type: string) => {
    if (name.includes('zone')) return "'UTC'";
    if (type.startsWith('Array(String')) return "['2026-11-01']";
    if (type.startsWith('Array(')) return `[1]::${type}`;
    return /String|Date/.test(type) ? `'2026-11-01'` : `1::${type}`;
  });
}

/** Allowed ones ask the second shard what to compare with, and find nobody there. */
const NOBODY_THERE = [210, 279];

/** 0 when ClickHouse allows the question on two shards, else the number of its refusal. */
async function refusalOf(sql: string): Promise<number> {
  try {
    await server.connection.query(`EXPLAIN ${sql}`);
    return 0;
  } catch (failure) {
    if (!(failure instanceof QueryFailed)) throw failure;
    return NOBODY_THERE.includes(failure.code) ? 0 : failure.code;
  }
}

test.each(questions())('%s', async (_name, sql) => {
  expect(await refusalOf(filled(sql).trim().replace(/;$/, ''))).toBe(0);
});

test('a comparison across shards is refused where nobody says that it is to be sent to them', async () => {
  const sql = 'SELECT count() FROM actions WHERE task_id IN (SELECT task_id FROM tool_requests)';
  expect(await refusalOf(sql)).toBe(0);
  expect(await refusalOf(`${sql} SETTINGS distributed_product_mode = 'deny'`)).toBe(288);
});
