// No function outside the list runs, wherever an expression may stand: every place is tried with functions drawn from all
// that the engine has and the list has not. SQL_DOOR_SEED repeats a run, SQL_DOOR_FUNCTIONS draws more for each place.

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FUNCTION_CATEGORIES, FUNCTIONS } from '../../../collector/store/embedded/allowed.ts';
import { seeded } from '../../end-to-end/many-sidecars.ts';
import { type OpenedStore, openTestStore } from './open.ts';

/** `{{call}}` stands for a call without quotes in it, `{{name}}` for the name alone. */
const PLACES = readFileSync(new URL('../../cases/sql-places.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as { id: string; statement: string });

const FUNCTIONS_A_PLACE = Number(process.env.SQL_DOOR_FUNCTIONS ?? 1);
const SEED = Number(process.env.SQL_DOOR_SEED ?? Date.now() % 1_000_000);
const WALL = 497;
const UNPARSED = 62;

let opened: OpenedStore;
let refused: string[] = [];
beforeAll(async () => {
  opened = await openTestStore();
  const rows = await opened.store.query<{ name: string; categories: string }>(
    "SELECT name, categories FROM system.functions WHERE alias_to = '' AND NOT is_aggregate",
  );
  refused = rows
    .filter(({ name }) => !FUNCTIONS.has(name))
    .filter(({ categories }) => !categories.split(',').every((each) => FUNCTION_CATEGORIES.has(each.trim())))
    .map(({ name }) => name);
});
afterAll(() => opened.close());

async function codeOf(statement: string): Promise<number> {
  const response = await fetch(opened.store.sqlUrl, { method: 'POST', body: statement });
  await response.arrayBuffer();
  return response.status === 200 ? 0 : Number(response.headers.get('x-clickhouse-exception-code'));
}

test('there are such functions, those that reach out among them', () => {
  expect(refused).toEqual(
    expect.arrayContaining(['file', 'hostName', 'sleep', 'getServerSetting', 'dictGet']),
  );
});

test.each(PLACES)('$id', async ({ statement }) => {
  const random = seeded(SEED);
  const drawn = Array.from(
    { length: FUNCTIONS_A_PLACE },
    () => refused[Math.floor(random() * refused.length)]!,
  );
  for (const name of ['file', ...drawn]) {
    const tried = statement.replaceAll('{{call}}', `${name}(1)`).replaceAll('{{name}}', name);
    expect([WALL, UNPARSED], `seed ${SEED}: ${tried}`).toContain(await codeOf(tried));
  }
  // The place is one: with a function of the list in it, the wall lets it through, or refuses what holds expressions.
  const plain = statement.replaceAll('{{call}}', 'negate(1)').replaceAll('{{name}}', 'negate');
  expect(await codeOf(plain), plain).not.toBe(UNPARSED);
});
