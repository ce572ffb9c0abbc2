import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openTokens } from '../../../collector/control/tokens.ts';
import type { TokenOrder } from '../../../contract/token.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { temporaryDirectory } from '../../support/processes.ts';
import { openBench } from './bench.ts';

let bench: Awaited<ReturnType<typeof openBench>>;
let directory: string;
beforeAll(async () => {
  bench = await openBench();
});
beforeEach(async () => {
  await bench.database.query('truncate tokens');
  directory = temporaryDirectory('outrider-tokens');
  clock = manualClock();
});
afterAll(() => bench.close());

let clock = manualClock();
const open = (given?: string) => openTokens({ database: bench.database, directory, clock, given });
const written = () => readFileSync(join(directory, 'token'), 'utf8').trim();

test('the first start writes a token that only its owner reads; the database never sees it', async () => {
  const tokens = await open();
  expect(written()).toMatch(/^ort_[A-Za-z0-9_-]{43}$/);
  expect(statSync(join(directory, 'token')).mode & 0o777).toBe(0o600);
  expect(tokens.authenticate(written())).toMatchObject({ name: 'join', kind: 'operator' });
  expect(JSON.stringify(await bench.database.query('select * from tokens'))).not.toContain(written());
});

test('what is no token of ours is nobody', async () => {
  const tokens = await open();
  const token = written();
  for (const wrong of ['', token.slice(0, -1), `${token}x`, token.toLowerCase(), 'ort_', '\0']) {
    expect(tokens.authenticate(wrong)).toBeNull();
  }
});

test('a restart keeps the token; a lost or revoked file gets a fresh one, and the revoked stays out', async () => {
  await open();
  const first = written();
  const again = await open();
  expect(written()).toBe(first);
  expect(await again.revoke('join', 'anna')).toBe(true);
  expect(await again.revoke('join', 'anna')).toBe(false);
  expect(again.authenticate(first)).toBeNull();
  const after = await open();
  expect(after.authenticate(first)).toBeNull();
  expect(after.authenticate(written())?.name).toBe('join-2');
  rmSync(join(directory, 'token'));
  expect((await open()).authenticate(written())?.name).toBe('join-3');
  writeFileSync(join(directory, 'token'), 'not ours');
  expect((await open()).authenticate(written())?.name).toBe('join-4');
});

const order = (name: string, more: Partial<TokenOrder> = {}): TokenOrder => ({
  name,
  kind: 'operator',
  claims: {},
  for_ms: null,
  ...more,
});

test('more tokens, and the one that the environment gives', async () => {
  const tokens = await open('from the environment');
  const made = await tokens.create(order('ci'), 'anna');
  expect(tokens.authenticate(made!.token)?.name).toBe('ci');
  expect(tokens.authenticate('from the environment')).toMatchObject({
    name: 'environment',
    kind: 'operator',
  });
  expect((await open()).authenticate('from the environment')).toBeNull();
  expect(await tokens.revoke('environment', 'anna')).toBe(false);
  expect(tokens.authenticate('from the environment')).not.toBeNull();
});

test('a token keeps its kind and its claims over a restart, and its name for ever', async () => {
  const tokens = await open();
  const claims = { agent: ['scout'] };
  const made = await tokens.create(order('laptop', { kind: 'telemetry', claims }), 'anna');
  const again = await open();
  expect(again.authenticate(made!.token)).toMatchObject({ name: 'laptop', kind: 'telemetry', claims });
  expect(again.list()).toEqual([
    expect.objectContaining({ name: 'join', kind: 'operator', created_by: 'collector', expires_at: null }),
    expect.objectContaining({ name: 'laptop', kind: 'telemetry', claims, created_by: 'anna' }),
  ]);
  expect(JSON.stringify(again.list())).not.toContain(made!.token);
  await again.revoke('laptop', 'anna');
  expect(await again.create(order('laptop'), 'anna')).toBeNull();
});

test('a token is over when its time is', async () => {
  const tokens = await open();
  const { token } = (await tokens.create(order('short', { for_ms: 60_000 }), 'anna'))!;
  clock.advance(59_999);
  expect(tokens.authenticate(token)?.name).toBe('short');
  clock.advance(1);
  expect(tokens.authenticate(token)).toBeNull();
  expect(tokens.list().map(({ name }) => name)).toEqual(['join']);
  expect((await open()).authenticate(token)).toBeNull();
});

test('a token in the file that is no operator’s is not the one this collector goes by', async () => {
  const tokens = await open();
  const { token } = (await tokens.create(order('eyes', { kind: 'reader' }), 'anna'))!;
  writeFileSync(join(directory, 'token'), token);
  expect((await open()).authenticate(written())).toMatchObject({ name: 'join-2', kind: 'operator' });
});

test('whoever watches looks while the token is over already', async () => {
  const tokens = await open();
  const { token } = (await tokens.create(order('gone'), 'anna'))!;
  const seen: unknown[] = [];
  tokens.watch(() => seen.push(tokens.authenticate(token)));
  await tokens.revoke('gone', 'anna');
  expect(seen).toEqual([null]);
});
