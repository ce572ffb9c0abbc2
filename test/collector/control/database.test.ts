import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDatabase } from '../../../collector/control/database.ts';
import { DatabaseFailed } from '../../../collector/control/failures.ts';
import { silentLog } from '../../../kit/log.ts';
import { temporaryDirectory } from '../../support/processes.ts';

test('migrations run once, what was written is there after closing, and a bad statement harms no other', async () => {
  const home = temporaryDirectory('outrider-database');
  const migrated: unknown[] = [];
  const log = { ...silentLog, info: (event: string, fields?: object) => void migrated.push([event, fields]) };
  const first = await openDatabase({ directory: join(home, 'control'), log });
  expect(migrated.length).toBeGreaterThan(0);
  await first.query(`insert into tasks (agent, task, opened_at) values ('a', 't', 1)`);
  const [failed, fine] = await Promise.allSettled([
    first.query('select nonsense'),
    first.query('select 1 as one'),
  ]);
  expect(failed).toMatchObject({ status: 'rejected' });
  expect((failed as PromiseRejectedResult).reason).toBeInstanceOf(DatabaseFailed);
  expect(fine).toMatchObject({ status: 'fulfilled', value: [{ one: 1 }] });
  await first.close();

  migrated.length = 0;
  const second = await openDatabase({ directory: join(home, 'control'), log });
  expect(migrated).toEqual([]);
  expect(await second.query('select task from tasks')).toEqual([{ task: 't' }]);
  await second.close();
  rmSync(home, { recursive: true, force: true });
});
