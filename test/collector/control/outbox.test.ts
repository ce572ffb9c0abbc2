// Every change of control state is told to the store once, whatever dies on the way.

import { hash } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { noteEvent } from '../../../collector/control/control-events.ts';
import { learn } from '../../../collector/control/learning.ts';
import { startOutbox } from '../../../collector/control/outbox.ts';
import { openTokens } from '../../../collector/control/tokens.ts';
import { canonicalJson, verifyChain } from '../../../contract/audit-entry.ts';
import { parseConfig } from '../../../contract/config/parse.ts';
import type { TokenOrder } from '../../../contract/token.ts';
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

const NOTED_MS = 1_760_000_000_000;
const note = (reason: string) =>
  noteEvent(
    database,
    { event: 'mode_changed', actor: 'anna', agent: 'scout', reason, details: { to: 'observe' } },
    NOTED_MS,
  );
const untold = async () =>
  (await database.query<{ n: string }>('select count(*)::text as n from control_events where not told'))[0]
    ?.n;

/** An outbox whose clock stands still: it looks once at the start, then when it is told to. */
function outboxOver(append: (request: Buffer) => 'stored' | 'duplicate' | 'refused') {
  return startOutbox({
    database,
    append: async (request) => ({ kind: append(request) }),
    clock: manualClock(NOTED_MS),
    log: silentLog,
  });
}

describe('the outbox', () => {
  test('tells in order, once, and waits for the queue to take it', async () => {
    const told: string[] = [];
    const outbox = outboxOver((request) => {
      told.push(/reason \d+\./.exec(request.toString('latin1'))?.[0] ?? '');
      return 'stored';
    });
    const reasons = Array.from({ length: 12 }, (_, i) => `reason ${i}.`);
    for (const reason of reasons) await note(reason);
    await outbox.tell();
    await outbox.tell();
    expect(told).toEqual(reasons);
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

describe('the chain of control events', () => {
  type Link = { id: string; stream: string; seq: string; hash: string; entry: string };
  const links = () =>
    database.query<Link>(
      'select id::text as id, stream, seq::text as seq, hash, entry from control_events order by stream <> $1, control_events.seq',
      [first],
    );
  let first = '';
  const tellAll = async (): Promise<void> => {
    const outbox = outboxOver(() => 'stored');
    await outbox.tell();
    await outbox.close();
  };
  beforeEach(async () => {
    await database.query("update control_chain set stream = '', seq = 0, head = '', is_left = true");
  });

  test('goes on from one telling to the next, and a reader with the entries alone finds what was changed', async () => {
    for (const reason of ['one', 'two']) await note(reason);
    await tellAll();
    for (const reason of ['three', 'four', 'five']) await note(reason);
    await tellAll();
    const all = await links();
    expect(all.map(({ seq }) => seq)).toEqual(['0', '1', '2', '3', '4']);
    expect(new Set(all.map(({ stream }) => stream)).size).toBe(1);
    expect(verifyChain(all)).toBeNull();
    const altered = all.map((link) => ({ ...link, entry: link.entry.replace('"three"', '"3"') }));
    expect(verifyChain(altered)).toBe(2);
    expect(verifyChain(all.filter(({ seq }) => seq !== '3'))).toBe(3);
  });

  test('has a place for each event once, though the queue was full and another collector sealed as well', async () => {
    for (let i = 0; i < 20; i++) await note(`event ${i}`);
    const requests = new Set<string>();
    const refusing = outboxOver((request) => {
      requests.add(request.toString('hex'));
      return 'refused';
    });
    const other = outboxOver((request) => {
      requests.add(request.toString('hex'));
      return 'stored';
    });
    await Promise.all([refusing.tell(), other.tell()]);
    await Promise.all([refusing.close(), other.close()]);
    expect(requests.size).toBe(20);
    const all = await links();
    expect(all).toHaveLength(20);
    expect(verifyChain(all)).toBeNull();
  });

  test('is another one after a restore, and says which it follows', async () => {
    await note('before');
    await tellAll();
    first = (await links())[0]!.stream;
    const clock = manualClock(NOTED_MS);
    const { config } = await parseConfig([{ file: 'outrider.yaml', text: 'fleet: f\n' }]);
    await learn({ database, clock, log: silentLog, config: () => config }, 'anna', 'the disk broke');
    await tellAll();
    const [before, after] = await links();
    expect(after!.stream).not.toBe(first);
    const entry = JSON.parse(after!.entry) as object;
    expect(entry).toMatchObject({
      event: 'budget_learning',
      seq: 0,
      follows: { stream: first, seq: 0, hash: before!.hash },
    });
    await note('later');
    await tellAll();
    expect(verifyChain((await links()).slice(1))).toBeNull();
  });

  test('seals a policy’s text by its digest: the text itself is kept apart', async () => {
    const sources = [{ file: 'outrider.yaml', text: 'fleet: f' }];
    await database.query("select note_event('policy_in_force', 'anna', 'scout', '', $1, $2)", [
      JSON.stringify({ digest: 'd1', instance: 'i', sources }),
      NOTED_MS,
    ]);
    await tellAll();
    const [link] = await links();
    expect(link!.entry).not.toContain('fleet: f');
    expect(JSON.parse(link!.entry)).toMatchObject({
      details: { digest: 'd1', instance: 'i' },
      sourcesSha256: hash('sha256', canonicalJson(sources), 'hex'),
    });
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

  const CI: TokenOrder = {
    name: 'ci',
    kind: 'telemetry',
    claims: { agent: ['scout'] },
    for_ms: 60_000,
  };

  test('a join token made and revoked, by whom, without the token', async () => {
    await database.query('truncate tokens');
    const directory = temporaryDirectory('outrider-tokens');
    const nowMs = systemClock.nowMs();
    const clock = { ...systemClock, nowMs: () => nowMs };
    const tokens = await openTokens({ database, directory, clock, given: undefined });
    const made = await tokens.create(CI, 'anna');
    await tokens.revoke('ci', 'ben');
    await tokens.revoke('ci', 'ben');
    const all = await noted();
    expect(all).toEqual([
      {
        event: 'token_created',
        actor: 'collector',
        agent: '',
        details: { token: 'join', kind: 'operator', claims: {}, expires_at: null },
      },
      {
        event: 'token_created',
        actor: 'anna',
        agent: '',
        details: { token: 'ci', kind: 'telemetry', claims: { agent: ['scout'] }, expires_at: nowMs + 60_000 },
      },
      { event: 'token_revoked', actor: 'ben', agent: '', details: { token: 'ci' } },
    ]);
    expect(JSON.stringify(all)).not.toContain(made!.token);
  });

  test("no token takes the collector's own name", async () => {
    await database.query('truncate tokens');
    const directory = temporaryDirectory('outrider-tokens');
    const tokens = await openTokens({ database, directory, clock: systemClock, given: undefined });
    await expect(tokens.create({ ...CI, name: 'collector' }, 'anna')).rejects.toThrow(
      'no token may speak for the collector',
    );
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
