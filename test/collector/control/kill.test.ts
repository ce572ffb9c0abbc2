import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { openDatabase } from '../../../collector/control/database.ts';
import { systemClock } from '../../../kit/clock.ts';
import { silentLog } from '../../../kit/log.ts';
import { copyPostgres } from '../../support/empty-stores.ts';
import { temporaryDirectory } from '../../support/processes.ts';
import { invariantBreaches } from './bench.ts';

const ROUNDS = 6;

/** Runs a spender and kills it once it has acknowledged so many posts; what it acknowledged last, by lease. */
async function killedAfter(directory: string, posts: number): Promise<Map<string, number>> {
  const script = join(import.meta.dirname, 'spender.ts');
  const child = spawn(process.execPath, [script, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  const acknowledged = new Map<string, number>();
  let seen = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const [lease, posted] = line.split(' ') as [string, string];
    acknowledged.set(lease, Number(posted));
    if (++seen === posts) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  expect(child.signalCode).toBe('SIGKILL');
  return acknowledged;
}

test(`BUD-12: killed ${ROUNDS} times amid its steps, the ledger keeps every acknowledged post and every limit`, async () => {
  const home = temporaryDirectory('outrider-kill');
  const directory = join(home, 'control');
  copyPostgres(directory);
  const acknowledged = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [lease, posted] of await killedAfter(directory, 20 + 13 * round))
      acknowledged.set(lease, posted);

    const database = await openDatabase({ directory, log: silentLog, clock: systemClock });
    const slices = await database.query<{ lease_id: string; posted: string }>(
      `select lease_id, posted::text from slices where unit = 'nanodollars'`,
    );
    const kept = new Map(slices.map(({ lease_id, posted }) => [lease_id, Number(posted)]));
    const lost = [...acknowledged]
      .filter(([lease, posted]) => !((kept.get(lease) ?? -1) >= posted))
      .map(([lease, posted]) => ({ round, lease, posted, kept: kept.get(lease) }));
    expect(lost).toEqual([]);
    const posted = await database.query(
      `select s.lease_id from slices s where s.posted <> (select coalesce(sum(e.posted), 0) from entries e
         where e.lease_id = s.lease_id and e.unit = s.unit)`,
    );
    expect(posted).toEqual([]);
    expect(await invariantBreaches(database)).toEqual([]);
    await database.close();
  }
  rmSync(home, { recursive: true, force: true });
}, 300_000);
