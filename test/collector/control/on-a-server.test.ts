// What is tested of control state on the embedded Postgres, once more on Debian's.

import { afterAll, expect, test } from 'vitest';
import { followNeighbours } from '../../../collector/control/neighbours.ts';
import { openPostgres } from '../../../collector/control/postgres.ts';
import { openQuarantines } from '../../../collector/control/quarantines.ts';
import { openTokens } from '../../../collector/control/tokens.ts';
import { systemClock } from '../../../kit/clock.ts';
import { silentLog } from '../../../kit/log.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { startPostgresServer } from '../../support/postgres-server.ts';
import { temporaryDirectory, until } from '../../support/processes.ts';
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

test('what is done alone is done by one collector at a time, also after one that broke off', async ({
  skip,
}) => {
  skip(!server, NONE);
  const url = await server!.database();
  const open = () => openPostgres({ url, log: silentLog, clock: systemClock });
  const [one, other] = await Promise.all([open(), open()]);
  expect([await one.others(), await other.others()]).toEqual([1, 1]);
  const order: string[] = [];
  const begun = Promise.withResolvers<void>();
  const end = Promise.withResolvers<void>();
  const first = one.alone(async () => {
    begun.resolve();
    await end.promise;
    order.push('first ended');
    throw new Error('broke off');
  });
  await begun.promise;
  const second = other.alone(() => {
    order.push('second began');
    return Promise.resolve('done');
  });
  // Whoever waits stands in the server's own list.
  await until(
    () => one.query("select 1 from pg_locks where locktype = 'advisory' and not granted"),
    (waiting) => waiting.length === 1,
  );
  end.resolve();
  await expect(first).rejects.toThrow('broke off');
  expect(await second).toBe('done');
  expect(order).toEqual(['first ended', 'second began']);
  await other.close();
  await until(one.others, (others) => others === 0);
  await one.close();
});

test('whom one collector holds apart, the other tells its sidecars of', async ({ skip }) => {
  skip(!server, NONE);
  const url = await server!.database();
  const open = () => openPostgres({ url, log: silentLog, clock: systemClock });
  const [database, elsewhere] = await Promise.all([open(), open()]);
  const clock = manualClock();
  const rest = { clock, log: silentLog };
  let told = Promise.withResolvers<void>();
  const theirs = await openQuarantines({ database: elsewhere, changed: () => undefined, ...rest });
  const ours = await openQuarantines({ database, changed: () => told.resolve(), ...rest });
  const neighbours = followNeighbours({ database, lists: [ours], ...rest });
  const subjects = async () => {
    await until(
      () => Promise.resolve(clock.advance(500)),
      () => ours.revision() === theirs.revision(),
    );
    await told.promise;
    told = Promise.withResolvers();
    return ours.lines().map(({ subject }) => subject);
  };
  await theirs.set({ subject: 'agent/scout', reason: 'loops', for_ms: null }, 'ops', 'person');
  expect(await subjects()).toEqual(['agent/scout']);
  await theirs.lift('agent/scout', 'ops', 'fixed');
  expect(await subjects()).toEqual([]);
  neighbours.close();
  for (const opened of [theirs, ours]) opened.close();
  await Promise.all([database.close(), elsewhere.close()]);
});

test('a token that one collector makes or revokes is so at another', async ({ skip }) => {
  skip(!server, NONE);
  const url = await server!.database();
  const [database, elsewhere] = await Promise.all([
    openPostgres({ url, log: silentLog, clock: systemClock }),
    openPostgres({ url, log: silentLog, clock: systemClock }),
  ]);
  const clock = manualClock();
  const rest = { clock, given: undefined };
  const theirs = await openTokens({ database: elsewhere, directory: temporaryDirectory('theirs'), ...rest });
  const ours = await openTokens({ database, directory: temporaryDirectory('ours'), ...rest });
  const neighbours = followNeighbours({ database, lists: [ours], clock, log: silentLog });
  const claims = { agent: ['scout'] };
  const made = await theirs.create({ name: 'edge', kind: 'sidecar', claims, for_ms: 60_000 }, 'ops');
  const known = () =>
    until(
      async () => {
        clock.advance(500);
        return ours.authenticate(made!.token);
      },
      (bearer) => bearer !== null,
    );
  expect(await known()).toMatchObject({ name: 'edge', kind: 'sidecar', claims });
  const over = new Promise<void>((resolve) => {
    ours.watch(() => ours.authenticate(made!.token) ?? resolve());
  });
  await theirs.revoke('edge', 'ops');
  clock.advance(500);
  await over;
  neighbours.close();
  await Promise.all([database.close(), elsewhere.close()]);
});
