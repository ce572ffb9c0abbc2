import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../cli/budgets.ts';
import { run as runTokens } from '../../cli/tokens.ts';
import { type Collector, startCollector } from '../../collector/main.ts';
import type { Config } from '../../contract/config/config.ts';
import { systemClock } from '../../kit/clock.ts';
import { DataDirectoryTaken } from '../../kit/data-directory.ts';
import { listenOn, PortUnavailable } from '../../kit/listen.ts';
import { silentLog } from '../../kit/log.ts';
import { copyEmptyStores } from '../support/empty-stores.ts';
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
    copyEmptyStores(data);
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

describe('COL-28 a telemetry token', () => {
  const tokens = async (...args: readonly string[]) => {
    const written: string[] = [];
    const io = { stdout: (text: string) => void written.push(text), stderr: () => undefined, env: {} };
    const flags = ['--collector', collector.listen.control, '--data', dataDirectory];
    await runTokens([...args, ...flags], io);
    return written.join('').trim();
  };
  const post = (token: string, resource: object) =>
    fetch(`${collector.listen.otlp}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ scope: FORGED, spans: [SPAN] }] }] }),
    });
  const attributes = (said: Readonly<Record<string, string>>) =>
    Object.entries(said).map(([key, stringValue]) => ({ key, value: { stringValue } }));
  const FORGED = { name: 'outrider.sidecar' };
  const SPAN = {
    traceId: '5b8efff798038103d269b633813fc60c',
    spanId: 'eee19b7ec3c1b174',
    name: 'chat',
    startTimeUnixNano: String(Date.now() * 1e6),
    attributes: attributes({ 'outrider.agent': 'b', 'outrider.call.id': 'forged', said: 'this' }),
  };
  const rows = async <Row>(query: string): Promise<Row[]> => {
    const answer = await fetch(`${collector.listen.sql}/?default_format=JSONEachRow`, {
      method: 'POST',
      body: query,
    });
    return (await answer.text())
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Row);
  };

  test('writes as the agent it is bound to, never as another, and no action', async () => {
    const token = await tokens(
      'create',
      'laptop',
      '--kind',
      'telemetry',
      '--claim',
      'agent=a',
      '--expires',
      '1d',
    );
    expect(await tokens('list')).toMatch(/^laptop +telemetry +agent=a +join +\S+ +\S+Z$/m);
    const chains = 'b/host/1 0-1 00';
    const answer = await post(token, {
      attributes: attributes({ 'service.name': 'b', 'outrider.audit.chains': chains }),
    });
    expect(answer.status).toBe(200);
    const { partialSuccess } = (await answer.json()) as { partialSuccess: { errorMessage: string } };
    expect(partialSuccess.errorMessage).toMatch(/^3 attributes .*; 2 resources or scopes claim/);
    await collector.drain();
    expect(
      await rows(
        'SELECT ServiceName, Sender, ScopeName, SpanAttributes AS said, ResourceAttributes AS of FROM otel_traces',
      ),
    ).toEqual([
      {
        ServiceName: 'a',
        Sender: 'telemetry:laptop agent=a',
        ScopeName: '',
        said: { said: 'this' },
        of: { 'service.name': 'a' },
      },
    ]);
    expect(await rows('SELECT call_id FROM actions')).toEqual([]);
    const metrics = await (await fetch(`${collector.listen.control}/metrics`)).text();
    expect(metrics).toContain('outrider_overruled_claims_total 2\n');
  });

  test('is refused once it is revoked; a reader’s token sends nothing', async () => {
    const token = await tokens('create', 'short', '--kind', 'telemetry', '--claim', 'agent=a');
    expect((await post(token, {})).status).toBe(200);
    await tokens('revoke', 'short');
    expect((await post(token, {})).status).toBe(401);
    expect((await post(await tokens('create', 'eyes', '--kind', 'reader'), {})).status).toBe(403);
  });

  test('is needed where the config says so', async () => {
    const anonymous = () =>
      fetch(`${collector.listen.otlp}/v1/logs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{}',
      });
    expect((await anonymous()).status).toBe(200);
    collector.reload({ ...config, otlp: { ...config.otlp, tokens: 'required' } });
    expect((await anonymous()).status).toBe(401);
    expect((await post('given', {})).status).toBe(200);
    collector.reload(config);
    expect((await anonymous()).status).toBe(200);
  });

  test('of several agents is refused where it names none of them', async () => {
    const token = await tokens(
      'create',
      'two',
      '--kind',
      'telemetry',
      '--claim',
      'agent=a',
      '--claim',
      'agent=pr-*',
    );
    expect((await post(token, { attributes: attributes({ 'service.name': 'pr-1' }) })).status).toBe(200);
    const answer = await post(token, { attributes: attributes({ 'service.name': 'b' }) });
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ code: 7, message: expect.stringContaining('a, pr-*') });
  });
});
