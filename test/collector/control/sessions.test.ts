import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { LINK_MS, openSessions, SESSION_MS, type Sessions } from '../../../collector/control/sessions.ts';
import { type ManualClock, manualClock } from '../../support/manual-clock.ts';
import { openBench } from './bench.ts';

let bench: Awaited<ReturnType<typeof openBench>>;
let clock: ManualClock;
let sessions: Sessions;
/** Names of tokens. */
const ended = new Set<string>();
const open = () => openSessions({ database: bench.database, clock, isInForce: (name) => !ended.has(name) });
beforeAll(async () => {
  bench = await openBench();
});
beforeEach(async () => {
  await bench.database.query('truncate sessions, login_links');
  clock = manualClock();
  ended.clear();
  sessions = await open();
});
afterAll(() => bench.close());

const signIn = async (): Promise<string> => {
  const { code } = await sessions.makeLink('join');
  return (await sessions.open(code))!;
};

test('a link opens one session, once', async () => {
  const { code } = await sessions.makeLink('join');
  const secret = await sessions.open(code);
  expect(sessions.authenticate(secret!)).toBe(sessions.list()[0]!.id);
  expect(sessions.list()).toMatchObject([{ opened_by: 'join', opened_at: '2026-01-05T00:00:00.000Z' }]);
  expect(await sessions.open(code)).toBeNull();
  expect(sessions.list()).toHaveLength(1);
});

test('two browsers that show the same link at once: one gets in', async () => {
  const { code } = await sessions.makeLink('join');
  const secrets = await Promise.all([sessions.open(code), sessions.open(code), sessions.open(code)]);
  expect(secrets.filter((secret) => secret !== null)).toHaveLength(1);
});

test('a link is over after ten minutes, a session after a week', async () => {
  const late = await sessions.makeLink('join');
  clock.advance(LINK_MS);
  expect(await sessions.open(late.code)).toBeNull();
  const secret = await signIn();
  clock.advance(SESSION_MS - 1);
  expect(sessions.authenticate(secret)).not.toBeNull();
  clock.advance(1);
  expect(sessions.authenticate(secret)).toBeNull();
  expect(sessions.list()).toEqual([]);
});

test('what was never made opens nothing', async () => {
  const { code } = await sessions.makeLink('join');
  const secret = await signIn();
  for (const wrong of ['', code.slice(0, -1), `${code}x`, secret, "' or true --"])
    expect(await sessions.open(wrong)).toBeNull();
  for (const wrong of ['', code, secret.toUpperCase(), `${secret} `])
    expect(sessions.authenticate(wrong)).toBeNull();
});

test('a revoked session is over at once, and stays so after a restart; the others go on', async () => {
  const [mine, theirs] = [await signIn(), await signIn()];
  const id = sessions.authenticate(mine)!;
  expect(await sessions.revoke(id, 'session:x')).toBe(true);
  expect(await sessions.revoke(id, 'session:x')).toBe(false);
  expect(await sessions.revoke('nobody', 'join')).toBe(false);
  for (const opened of [sessions, await open()]) {
    expect(opened.authenticate(mine)).toBeNull();
    expect(opened.authenticate(theirs)).not.toBeNull();
  }
});

test('a session ends with the token that made its link, and such a link opens nothing', async () => {
  const { code } = await sessions.makeLink('laptop');
  const late = await sessions.makeLink('laptop');
  const [theirs, ours] = [(await sessions.open(code))!, await signIn()];
  ended.add('laptop');
  expect(sessions.authenticate(theirs)).toBeNull();
  expect(sessions.authenticate(ours)).not.toBeNull();
  expect(sessions.list()).toMatchObject([{ opened_by: 'join' }]);
  expect(await sessions.open(late.code)).toBeNull();
});

test('what another collector ended is over once it is read, and the mark says when', async () => {
  const secret = await signIn();
  const markOf = async () => (await bench.database.query(`select (${sessions.mark}) as mark`))[0];
  const before = await markOf();
  const other = await open();
  await other.revoke(other.authenticate(secret)!, 'join');
  expect(await markOf()).not.toEqual(before);
  expect(sessions.authenticate(secret)).not.toBeNull();
  await sessions.reread();
  expect(sessions.authenticate(secret)).toBeNull();
});

test('the database holds neither codes nor secrets, and notes who opened and who ended', async () => {
  await bench.database.query('truncate control_events');
  const { code } = await sessions.makeLink('join');
  const unused = await sessions.makeLink('join');
  const secret = (await sessions.open(code))!;
  const id = sessions.authenticate(secret)!;
  await sessions.revoke(id, 'join-2');
  const rows = await Promise.all(
    ['login_links', 'sessions', 'control_events'].map((table) =>
      bench.database.query(`select * from ${table}`),
    ),
  );
  const text = JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? String(value) : value));
  for (const kept of [code, unused.code, secret]) expect(text).not.toContain(kept);
  expect(rows[2]).toMatchObject([
    { event: 'session_opened', actor: 'join', details: { session: id } },
    { event: 'session_revoked', actor: 'join-2', details: { session: id } },
  ]);
});

test('beyond the most there may be, the oldest makes room', async () => {
  const first = await signIn();
  clock.advance(1);
  const second = await signIn();
  for (let n = 0; n < 199; n += 1) {
    clock.advance(1);
    await signIn();
  }
  expect(sessions.list()).toHaveLength(200);
  expect(sessions.authenticate(first)).toBeNull();
  expect(sessions.authenticate(second)).not.toBeNull();
});
