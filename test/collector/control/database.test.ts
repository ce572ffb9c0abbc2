import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDatabase } from '../../../collector/control/database.ts';
import { DatabaseFailed, DatabaseUnavailable } from '../../../collector/control/failures.ts';
import { openPglite } from '../../../collector/control/pglite.ts';
import { createSteps } from '../../../collector/control/steps.ts';
import { systemClock } from '../../../kit/clock.ts';
import { silentLog } from '../../../kit/log.ts';
import { copyPostgres } from '../../support/empty-stores.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { temporaryDirectory } from '../../support/processes.ts';

test('migrations run once, what was written is there after closing, and a bad statement harms no other', async () => {
  const home = temporaryDirectory('outrider-database');
  const migrated: unknown[] = [];
  const warned: unknown[] = [];
  const clock = manualClock();
  const log = {
    ...silentLog,
    info: (event: string, fields?: object) => void migrated.push([event, fields]),
    warn: (event: string, fields?: object) => void warned.push([event, fields]),
  };
  const first = await openDatabase({ directory: join(home, 'control'), log, clock });
  expect(migrated.length).toBeGreaterThan(0);
  await first.query(`insert into tasks (agent, task, opened_at) values ('a', 't', 1)`);
  const [failed, fine] = await Promise.allSettled([
    first.query('select nonsense'),
    first.query('select 1 as one'),
  ]);
  expect(failed).toMatchObject({ status: 'rejected' });
  expect((failed as PromiseRejectedResult).reason).toBeInstanceOf(DatabaseFailed);
  expect(fine).toMatchObject({ status: 'fulfilled', value: [{ one: 1 }] });
  const full = "do $$ begin raise 'No space left on device' using errcode = 'disk_full'; end $$";
  await expect(first.query(full)).rejects.toThrow(
    new DatabaseUnavailable("The control database can't write: No space left on device."),
  );
  clock.advance(6 * 3_600_000);
  await first.query('select 1');
  await first.close();
  expect(warned).toEqual([]);

  migrated.length = 0;
  const second = await openDatabase({ directory: join(home, 'control'), log, clock });
  expect(migrated).toEqual([]);
  expect(await second.query('select task from tasks')).toEqual([{ task: 't' }]);
  await second.close();
  rmSync(home, { recursive: true, force: true });
});

test('a thread that dies takes nothing with it: who waits hears so, and the next one finds everything', async () => {
  const home = temporaryDirectory('outrider-thread');
  copyPostgres(join(home, 'control'));
  const first = await openPglite(join(home, 'control'));
  await first.ask('script', 'create table kept (n int); insert into kept values (7)', []);
  const waiting = first.ask('query', 'select pg_sleep(60)', []);
  const told = expect(waiting).rejects.toThrow(DatabaseUnavailable);
  await first.terminate();
  await told;
  await first.ended;
  await expect(first.ask('query', 'select 1', [])).rejects.toThrow(DatabaseUnavailable);
  const second = await openPglite(join(home, 'control'));
  expect(await second.ask('query', 'select n from kept', [])).toEqual([{ n: 7 }]);
  await second.terminate();
  rmSync(home, { recursive: true, force: true });
});

test('steps that wait together go together; one that breaks fails alone', async () => {
  const home = temporaryDirectory('outrider-steps');
  copyPostgres(join(home, 'control'));
  const database = await openDatabase({
    directory: join(home, 'control'),
    log: silentLog,
    clock: systemClock,
  });
  const statements: unknown[] = [];
  const steps = createSteps({
    ...database,
    query: (sql, parameters = []) => {
      statements.push(parameters);
      return database.query(sql, parameters);
    },
  });
  const stale = (lease: string) =>
    steps.run({ at: 1, agent: 'a', instance: '1', scope: 'agent', task: '', lease, seq: 1 });
  const broken = () =>
    steps.run({ at: 'no time', agent: 'a', instance: '1', scope: 'agent', task: '', seq: 1 });
  const answers = await Promise.allSettled([stale('first'), stale('second'), broken(), stale('third')]);
  expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  // Alone at first, because nothing was under way; then three together, then each of them.
  expect(statements).toHaveLength(5);
  await database.close();
  rmSync(home, { recursive: true, force: true });
});
