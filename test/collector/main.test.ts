import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../../cli/budgets.ts';
import { type Collector, startCollector } from '../../collector/main.ts';
import type { Config } from '../../contract/config/config.ts';
import { systemClock } from '../../kit/clock.ts';
import { DataDirectoryTaken } from '../../kit/data-directory.ts';
import { listenOn, PortUnavailable } from '../../kit/listen.ts';
import { silentLog } from '../../kit/log.ts';
import { temporaryDirectory } from '../support/processes.ts';
import { configOf } from './control/bench.ts';

const PORTS = {
  proxy: '127.0.0.1:0',
  admin: '127.0.0.1:0',
  otlp: '127.0.0.1:0',
  otlpGrpc: '127.0.0.1:0',
  control: '127.0.0.1:0',
  sql: '127.0.0.1:0',
};
const dataDirectory = temporaryDirectory('outrider-collector');
let config: Config;
let collector: Collector;
const start = (listen: Partial<typeof PORTS> = {}, data = dataDirectory) =>
  startCollector({
    config: { ...config, listen: { ...config.listen, ...PORTS, ...listen } },
    dataDirectory: data,
    token: 'given',
    env: {},
    log: silentLog,
    clock: systemClock,
  });

beforeAll(async () => {
  config = await configOf(
    'budgets: [$10/day, 5M tokens/month]\nagents: { a: { role: any, budgets: [$2/week] } }',
  );
  collector = await start();
});
afterAll(async () => {
  await collector.close();
  rmSync(dataDirectory, { recursive: true, force: true });
});

async function budgets(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const written: string[] = [];
  const io = { stdout: (text: string) => void written.push(text), stderr: () => undefined, env };
  return { code: await run(args, io), stdout: written.join('') };
}

test('ready, with three doors and a token', async () => {
  expect(await (await fetch(`${collector.listen.control}/readyz`)).json()).toEqual({
    ready: true,
    missing: [],
  });
  expect(await (await fetch(`${collector.listen.sql}/?query=SELECT+1`)).text()).toBe('1\n');
  expect((await fetch(`${collector.listen.otlp}/v1/traces`, { method: 'GET' })).status).toBe(405);
  expect(readFileSync(join(dataDirectory, 'token'), 'utf8')).toMatch(/^ort_/);
});

test('a second collector in the same folder is told whose it is', async () => {
  await expect(start()).rejects.toThrow(DataDirectoryTaken);
  await expect(start()).rejects.toThrow(`process ${process.pid}`);
});

test.each(['otlp', 'control', 'sql'] as const)(
  'a taken port ends the start and names listen.%s; nothing stays open',
  async (door) => {
    const squatter = createServer();
    const { port } = await listenOn(squatter, '127.0.0.1:0', 'test');
    const data = temporaryDirectory('outrider-taken');
    const failure = await start({ [door]: `127.0.0.1:${port}` }, data).catch((reason: unknown) => reason);
    expect(failure).toBeInstanceOf(PortUnavailable);
    expect((failure as Error).message).toContain(`listen.${door}`);
    expect(readdirSync(join(data, 'collector'))).not.toContain('lock');
    squatter.close();
    rmSync(data, { recursive: true, force: true });
  },
);

test('outrider budgets shows a table, or JSON, and writes off', async () => {
  const flags = ['--collector', collector.listen.control, '--data', dataDirectory];
  const { stdout } = await budgets(flags);
  expect(stdout.split('\n')[0]).toMatch(
    /^BUDGET +WINDOW +LIMIT +SPENT +HELD +LEFT +PROJECTED +USED UP +RESETS$/,
  );
  expect(stdout).toMatch(/^fleet\/test +day +\$10\.00 +\$0\.00 +\$0\.00 +\$10\.00 .* \d\d-\d\d 00:00$/m);
  expect(stdout).toMatch(/^fleet\/test +month +5M tok +0 tok/m);
  expect(JSON.parse((await budgets([...flags, '--json'])).stdout)).toHaveLength(3);
  expect(await budgets(['write-off', '--reason', 'lost', ...flags])).toEqual({
    code: 0,
    stdout: 'No expired slice is left to write off.\n',
  });
});

test('outrider budgets says what is missing: the token, the collector, the right token', async () => {
  const { control } = collector.listen;
  await expect(budgets(['--collector', control, '--data', '/nowhere'])).rejects.toThrow('OUTRIDER_TOKEN');
  await expect(budgets(['--collector', control], { OUTRIDER_TOKEN: 'wrong' })).rejects.toThrow(
    'does not know this join token',
  );
  await expect(budgets(['--collector', 'http://127.0.0.1:1'], { OUTRIDER_TOKEN: 'given' })).rejects.toThrow(
    'No collector answers',
  );
  await expect(budgets(['spend'])).rejects.toThrow('write-off');
  expect((await budgets(['--collector', control], { OUTRIDER_TOKEN: 'given' })).code).toBe(0);
});
