// Every change of control state is told to the store once, whatever dies on the way.

import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { noteEvent } from '../../../collector/control/control-events.ts';
import { startOutbox } from '../../../collector/control/outbox.ts';
import { openTokens } from '../../../collector/control/tokens.ts';
import { systemClock } from '../../../kit/clock.ts';
import { silentLog } from '../../../kit/log.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { temporaryDirectory } from '../../support/processes.ts';
import { openBench } from './bench.ts';

const bench = await openBench();
const { database } = bench;
afterAll(() => bench.close());
beforeEach(async () => {
  await database.query('truncate control_events restart identity');
});

const note = (reason: string) =>
  noteEvent(
    database,
    { event: 'mode_changed', actor: 'anna', agent: 'scout', reason, details: { to: 'observe' } },
    1_760_000_000_000,
  );
const untold = async () =>
  (await database.query<{ n: string }>('select count(*)::text as n from control_events where not told'))[0]
    ?.n;

/** An outbox whose clock stands still: it looks once at the start, then when it is told to. */
function outboxOver(append: (request: Buffer) => 'stored' | 'duplicate' | 'refused') {
  return startOutbox({
    database,
    append: async (request) => ({ kind: append(request) }),
    clock: manualClock(),
    log: silentLog,
  });
}

describe('the outbox', () => {
  test('tells in order, once, and waits for the queue to take it', async () => {
    const told: string[] = [];
    const outbox = outboxOver((request) => {
      told.push(/reason \d/.exec(request.toString('latin1'))?.[0] ?? '');
      return 'stored';
    });
    for (const number of [1, 2, 3]) await note(`reason ${number}`);
    await outbox.tell();
    await outbox.tell();
    expect(told).toEqual(['reason 1', 'reason 2', 'reason 3']);
    expect(await untold()).toBe('0');
    await outbox.close();
  });

  test('keeps what the queue refused, and tells it later with the same bytes', async () => {
    const requests: Buffer[] = [];
    let full = true;
    const outbox = outboxOver((request) => {
      requests.push(request);
      return full ? 'refused' : 'duplicate';
    });
    await note('once');
    await outbox.tell();
    expect(await untold()).toBe('1');
    full = false;
    await outbox.tell();
    expect(await untold()).toBe('0');
    expect(requests.length).toBeGreaterThanOrEqual(2);
    expect(new Set(requests.map((request) => request.toString('hex'))).size).toBe(1);
    await outbox.close();
  });

  test('tells more than it takes at once', async () => {
    await database.query(
      `select note_event('mode_changed', 'anna', 'scout', 'many', '{}', n) from generate_series(1, 600) as n`,
    );
    let told = 0;
    const outbox = outboxOver(() => {
      told += 1;
      return 'stored';
    });
    await outbox.tell();
    await outbox.close();
    expect(told).toBe(600);
  });
});

describe('a week later', () => {
  const DAY = 86_400_000;
  const instancesOf = async (table: string) =>
    (await database.query<{ instance: string }>(`select instance from ${table} order by 1`)).map(
      ({ instance }) => instance,
    );

  test('what was told is forgotten here, and the policies of instances that are gone', async () => {
    const clock = manualClock();
    const nowMs = clock.nowMs();
    for (const daysAgo of [8, 6])
      await database.query("select note_event('mode_changed', 'anna', 'scout', 'old', '{}', $1)", [
        nowMs - daysAgo * DAY,
      ]);
    await database.query('truncate policies_in_force, policies, instances');
    await database.query("insert into policies (digest, sources, first_at) values ('d1', '[]', 1)");
    await database.query(
      "insert into policies_in_force (agent, instance, digest, loaded_at) values ('a', 'gone', 'd1', 1), ('a', 'here', 'd1', 1), ('', 'own', 'd1', 1)",
    );
    await database.query(
      "insert into instances (agent, instance, mode, health, policy, last_seen) values ('a', 'gone', 'enforce', 'ok', 'd1', $1), ('a', 'here', 'enforce', 'ok', 'd1', $2)",
      [nowMs - 8 * DAY, nowMs - DAY],
    );
    const append = async () => ({ kind: 'stored' }) as const;
    const outbox = startOutbox({ database, append, clock, log: silentLog });
    await outbox.tell();
    await outbox.close();
    const left = await database.query<{ at: string }>('select at::text as at from control_events');
    expect(left).toEqual([{ at: String(nowMs - 6 * DAY) }]);
    expect(await instancesOf('policies_in_force')).toEqual(['here', 'own']);
  });
});

describe('what notes itself', () => {
  const noted = async () =>
    (
      await database.query<{ event: string; actor: string; agent: string; details: unknown }>(
        'select event, actor, agent, details from control_events order by id',
      )
    ).map((row) => ({ ...row }));

  test('a join token made and revoked, by whom, without the token', async () => {
    await database.query('truncate tokens');
    const directory = temporaryDirectory('outrider-tokens');
    const tokens = await openTokens({ database, directory, clock: systemClock, given: undefined });
    const token = await tokens.create('ci', 'anna');
    await tokens.revoke('ci', 'ben');
    await tokens.revoke('ci', 'ben');
    const all = await noted();
    expect(all).toEqual([
      { event: 'token_created', actor: 'collector', agent: '', details: { token: 'join' } },
      { event: 'token_created', actor: 'anna', agent: '', details: { token: 'ci' } },
      { event: 'token_revoked', actor: 'ben', agent: '', details: { token: 'ci' } },
    ]);
    expect(JSON.stringify(all)).not.toContain(token);
  });

  test("no token takes the collector's own name", async () => {
    await database.query('truncate tokens');
    const directory = temporaryDirectory('outrider-tokens');
    const tokens = await openTokens({ database, directory, clock: systemClock, given: undefined });
    await expect(tokens.create('collector', 'anna')).rejects.toThrow('no token may speak for the collector');
  });

  test('the end of a task, once', async () => {
    await database.query('truncate tasks');
    await database.query("insert into tasks (agent, task, opened_at) values ('scout', 't1', 1)");
    for (const how of ['done', 'failed'])
      await database.query('select end_task($1, $2, $3, $4, $5, $6, $7)', [
        ...['scout', 't1', how, 3, 'anna', true, 5],
      ]);
    expect(await noted()).toEqual([
      {
        event: 'task_ended',
        actor: 'anna',
        agent: 'scout',
        details: { task: 't1', state: 'done', output_units: 3 },
      },
    ]);
  });

  test('the end of a task that never drew money, once, if its agent is known', async () => {
    await database.query('truncate tasks');
    const end = async (agent: string, isKnown: boolean) =>
      (
        await database.query<{ known: boolean }>('select end_task($1, $2, $3, $4, $5, $6, $7) as known', [
          ...[agent, 'free', 'done', null, 'anna', isKnown, 5],
        ])
      )[0]?.known;
    expect([await end('scout', true), await end('scout', true), await end('nobody', false)]).toEqual([
      true,
      true,
      false,
    ]);
    expect(await noted()).toEqual([
      { event: 'task_ended', actor: 'anna', agent: 'scout', details: { task: 'free', state: 'done' } },
    ]);
  });

  test('a policy: its text once for each digest, no news told twice', async () => {
    const sources = [{ file: 'outrider.yaml', text: 'fleet: x' }];
    const load = (instance: string, digest: string, loadedAt: number) =>
      database.query('select note_policy($1, $2, $3, $4, $5, $6, $7, $8)', [
        'scout',
        instance,
        digest,
        'content',
        JSON.stringify(sources),
        loadedAt,
        'anna@host',
        9,
      ]);
    await load('a', 'd1', 1);
    await load('a', 'd1', 1);
    await load('b', 'd1', 2);
    await load('a', 'd1', 3);
    const about = { digest: 'd1', fleet: 'content' };
    expect((await noted()).map(({ details }) => details)).toEqual([
      { ...about, instance: 'a', loaded_at: 1, sources },
      { ...about, instance: 'b', loaded_at: 2 },
      { ...about, instance: 'a', loaded_at: 3 },
    ]);
  });
});
