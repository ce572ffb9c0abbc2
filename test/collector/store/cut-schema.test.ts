// The file in which the engine keeps our schema, cut short by a full disk: a load says that it is to be tried again, and then
// it works. Until it was mended, each message that came was set aside.

import { readdirSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { StoreUnavailable } from '../../../collector/store/failures.ts';
import { requestOf, spanIdOf } from '../receive/otlp-messages.ts';
import { type OpenedStore, openTestStore } from './open.ts';

let opened: OpenedStore;
afterEach(() => opened.close());

const segment = (number: number) =>
  opened.segment(`00000000000${number}-00c0ffee`, [requestOf([{ spanId: spanIdOf(number) }])]);

function schemas(): readonly string[] {
  const all = readdirSync(opened.directory, { recursive: true, encoding: 'utf8' });
  return all.filter((path) => /__cache__.*\.proto$/.test(path)).map((path) => join(opened.directory, path));
}

test.each([0, 900])('COL-08: a schema of which %s bytes are left is written anew', async (bytes) => {
  opened = await openTestStore();
  await opened.store.load(segment(1));
  expect(schemas()).toHaveLength(1);
  await opened.store.close();
  for (const path of schemas()) truncateSync(path, bytes);
  opened = await openTestStore({ dataDirectory: opened.directory });
  await expect(opened.store.load(segment(2))).rejects.toThrow(StoreUnavailable);
  expect(await opened.store.load(segment(2))).toEqual({ items: 1 });
});
