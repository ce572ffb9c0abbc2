import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { DataDirectoryTaken, openDataDirectory } from '../../kit/data-directory.ts';

const folder = mkdtempSync(join(tmpdir(), 'outrider-lock-'));
const lock = join(folder, 'lock');
afterEach(() => rmSync(lock, { force: true }));

test('a living owner keeps others out and is named', () => {
  const owner = openDataDirectory(folder);
  expect(() => openDataDirectory(folder)).toThrow(`process ${process.pid}`);
  owner.release();
  openDataDirectory(folder).release();
  expect(readdirSync(folder)).toEqual([]);
});

test('the lock of a killed process is taken over', async () => {
  const code = `const { openDataDirectory } = await import(${JSON.stringify(join(import.meta.dirname, '../../kit/data-directory.ts'))});
    openDataDirectory(${JSON.stringify(folder)}); console.log('held'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  expect(() => openDataDirectory(folder)).toThrow(DataDirectoryTaken);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const taken = openDataDirectory(folder);
  expect(JSON.parse(readFileSync(lock, 'utf8'))).toMatchObject({ pid: process.pid });
  taken.release();
});

test('a pid given to another process since is no owner', () => {
  writeFileSync(lock, JSON.stringify({ pid: process.pid, started: 'another boot/1' }));
  openDataDirectory(folder).release();
  expect(existsSync(lock)).toBe(false);
});

test('a torn lock is taken over; a release never removes the lock of another', () => {
  writeFileSync(lock, '{"pid":');
  const first = openDataDirectory(folder);
  const stolen = JSON.stringify({ pid: 1, started: 'other' });
  writeFileSync(lock, stolen);
  first.release();
  expect(readFileSync(lock, 'utf8')).toBe(stolen);
});
