// What is tested of control state on the embedded Postgres, once more on Debian's.

import { afterAll, expect, test } from 'vitest';
import { openPostgres } from '../../../collector/control/postgres.ts';
import { systemClock } from '../../../kit/clock.ts';
import { silentLog } from '../../../kit/log.ts';
import { startPostgresServer } from '../../support/postgres-server.ts';
import { until } from '../../support/processes.ts';
import { runOn } from './bench.ts';

/** `npm test` installs it; what is said here stands beside each test that then does not run. */
const NONE = 'no Postgres is installed here: apt-get install postgresql';
const server = await startPostgresServer();
afterAll(() => server?.stop());

if (server) {
  runOn(server);
  for (const file of ['ledger', 'late', 'ledger-property', 'holds', 'learning', 'lanes'])
    await import(`./${file}.test.ts`);
}

test('a server that crashes is away, then back with everything; nothing else is needed', async ({ skip }) => {
  skip(!server, NONE);
  const said: string[] = [];
  const log = {
    ...silentLog,
    error: (event: string, fields?: object) => void said.push(JSON.stringify([event, fields])),
  };
  const database = await openPostgres({ url: await server!.database(), log, clock: systemClock });
  await database.query(`insert into tasks (agent, task, opened_at) values ('a', 't', 9007199254740993)`);
  await server!.crash();
  await expect(database.query('select 1')).rejects.toThrow('does not answer');
  expect(database.isOpen()).toBe(false);
  await server!.start();
  await until(
    () => Promise.resolve(database.isOpen()),
    (open) => open,
  );
  expect(await database.query('select task, opened_at from tasks')).toEqual([
    { task: 't', opened_at: 9007199254740993n },
  ]);
  await expect(database.query('select nonsense')).rejects.toThrow('nonsense');
  expect(database.isOpen()).toBe(true);
  await database.close();
  expect(said.join()).toContain('control_database_lost');
  expect(said.join()).not.toContain(server!.password);
});

test('four collectors that start at once bring the schema forward once; a wrong password is a sentence', async ({
  skip,
}) => {
  skip(!server, NONE);
  const url = await server!.database();
  const open = () => openPostgres({ url, log: silentLog, clock: systemClock });
  const databases = await Promise.all([open(), open(), open(), open()]);
  for (const database of databases)
    expect(await database.query('select * from ledger_problems()')).toEqual([]);
  await expect(databases[0]!.copy('/nowhere', 'select 1')).rejects.toThrow('pg_dump');
  await Promise.all(databases.map((database) => database.close()));
  const wrong = url.replace(server!.password, 'never-repeated');
  const refused = openPostgres({ url: wrong, log: silentLog });
  await expect(refused).rejects.toThrow(
    /^The Postgres of store.postgres \(127\.0\.0\.1:\d+\/test_\d+\) can't be used/,
  );
  await expect(refused).rejects.not.toThrow('never-repeated');
});
