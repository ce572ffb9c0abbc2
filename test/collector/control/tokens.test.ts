import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openTokens } from '../../../collector/control/tokens.ts';
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
});
afterAll(() => bench.close());

const open = (given?: string) =>
  openTokens({ database: bench.database, directory, clock: manualClock(), given });
const written = () => readFileSync(join(directory, 'token'), 'utf8').trim();

test('the first start writes a token that only its owner reads; the database never sees it', async () => {
  const tokens = await open();
  expect(written()).toMatch(/^ort_[A-Za-z0-9_-]{43}$/);
  expect(statSync(join(directory, 'token')).mode & 0o777).toBe(0o600);
  expect(tokens.authenticate(written())).toBe('join');
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
  expect(after.authenticate(written())).toBe('join-2');
  rmSync(join(directory, 'token'));
  expect((await open()).authenticate(written())).toBe('join-3');
  writeFileSync(join(directory, 'token'), 'not ours');
  expect((await open()).authenticate(written())).toBe('join-4');
});

test('more tokens, and the one that the environment gives', async () => {
  const tokens = await open('from the environment');
  const made = await tokens.create('ci', 'anna');
  expect(tokens.authenticate(made)).toBe('ci');
  expect(tokens.authenticate('from the environment')).toBe('environment');
  expect((await open()).authenticate('from the environment')).toBeNull();
});
