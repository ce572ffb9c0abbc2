// A fleet that is only watched at first: observe, suggest, diff, enforce. The same calls pass, anything new is refused.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfig } from '../../contract/config/parse.ts';
import { runOutrider } from '../support/processes.ts';
import { type Fleet, startFleet } from './fleet.ts';

const OBSERVED = `fleet: test
mode: observe
budgets: [$1000/month]
upstreams:
  openai: { url: "{provider}/openai", speaks: openai, credential: openai }
  anthropic: { url: "{provider}/anthropic", speaks: anthropic, credential: openai }
  search: { url: "{provider}/search", speaks: http }
credentials:
  openai: { from: env:REAL_KEY }
prohibited: ["http DELETE {provider}/search/**"]
roles:
  watched: { deny: [llm openai/gpt-5-pro], limits: { requests: 600/minute } }
agents:
  scout: { role: watched }
drain: 2s
listen: { proxy: 127.0.0.1:0, admin: 127.0.0.1:0, otlp: 127.0.0.1:0, control: 127.0.0.1:0, sql: 127.0.0.1:0 }
`;

let fleet: Fleet;
let suggested = '';
beforeAll(async () => {
  fleet = await startFleet(OBSERVED);
});
afterAll(() => fleet.stop());

interface Call {
  readonly path: string;
  readonly method?: string;
  readonly body?: object;
}
const chat = (model: string): Call => ({
  path: '/openai/v1/chat/completions',
  body: { model, max_tokens: 10, messages: [{ role: 'user', content: 'hi' }] },
});
const haiku: Call = {
  path: '/anthropic/v1/messages',
  body: { model: 'claude-haiku-4-5', max_tokens: 10, messages: [{ role: 'user', content: 'hi' }] },
};
const USUAL: readonly Call[] = [
  chat('gpt-5-mini'),
  chat('gpt-5-mini'),
  haiku,
  { path: '/openai/v1/models' },
  { path: '/search/items/1' },
  { path: '/search/items/2' },
  { path: '/search/find', method: 'POST', body: { q: 'x' } },
];

async function call({ path, method, body }: Call): Promise<{ status: number; id: string }> {
  const answer = await fetch(fleet.proxy + path, {
    method: method ?? (body ? 'POST' : 'GET'),
    headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  await answer.arrayBuffer();
  return { status: answer.status, id: answer.headers.get('x-outrider-call')! };
}

async function callAll(calls: readonly Call[]): Promise<number[]> {
  const answers = [];
  for (const each of calls) answers.push(await call(each));
  await fleet.actions(answers.map(({ id }) => id));
  return answers.map(({ status }) => status);
}

const policy = (...args: string[]) => runOutrider(['policy', ...args, '--url', fleet.sql]);
const nextFile = () => join(fleet.directory, '..', 'next.yaml');

test('observed, everything passes but what is prohibited', async () => {
  expect(await callAll(USUAL)).toEqual(USUAL.map(() => 200));
  expect(await callAll([chat('gpt-5-pro')])).toEqual([200]);
  expect(await callAll([{ path: '/search/items/1', method: 'DELETE' }])).toEqual([403]);
});

test('the suggestion is a file of its own that parses, names each rule’s reasons, and carries over what is denied', async () => {
  const { code, stdout, stderr } = await policy('suggest', '--agent', 'scout', '--config', fleet.config);
  expect([code, stderr]).toEqual([0, '']);
  suggested = stdout;
  const { config } = await parseConfig([
    { file: fleet.config, text: `include: [scout.yaml]\n${readFileSync(fleet.config, 'utf8')}` },
    { file: 'scout.yaml', text: suggested },
  ]);
  const { allow, deny, limits } = config.roles.get('scout')!;
  const at = fleet.provider.url;
  expect(allow.map(({ text }) => text)).toEqual([
    'llm anthropic/claude-haiku-4-5',
    'llm openai/gpt-5-mini',
    `http GET ${at}/search/items/*`,
    `http POST ${at}/search/find`,
  ]);
  expect(deny.map(({ text }) => text)).toEqual(['llm openai/gpt-5-pro']);
  expect(limits.rates).toEqual([{ unit: 'requests', count: 600, windowMs: 60_000 }]);
  expect(suggested).toMatch(
    /# 3 calls; 2 targets; [^\n]*; enforced today: deny\n +- llm openai\/gpt-5-mini\n/,
  );
  expect(suggested).toMatch(/# 2 calls; 2 targets; [^\n]*\n +- http GET \S+\/search\/items\/\*\n/);
  expect(suggested).toMatch(/# +openai\/gpt-5-pro: 1 call, [^\n]*: denied by "llm openai\/gpt-5-pro"\n/);
  expect(suggested).toMatch(/# +DELETE \S+: 1 call, [^\n]*: prohibited by "http DELETE /);
});

test('the same as JSON', async () => {
  const { stdout } = await policy('suggest', '--agent', 'scout', '--config', fleet.config, '--json');
  const answer = JSON.parse(stdout) as { allow: { rule: string; calls: number }[]; left_out: object[] };
  expect(answer).toMatchObject({ agent: 'scout', role: 'scout', kept: { deny: ['llm openai/gpt-5-pro'] } });
  expect(answer.allow[1]).toMatchObject({
    rule: 'llm openai/gpt-5-mini',
    calls: 3,
    targets: 2,
    today: ['deny'],
  });
  expect(answer.left_out).toHaveLength(2);
});

test('diff says what enforcing would refuse, with and without the suggested role', async () => {
  const enforced = readFileSync(fleet.config, 'utf8').replace('mode: observe', 'mode: enforce');
  writeFileSync(nextFile(), enforced);
  const bare = await policy('diff', fleet.config, nextFile());
  expect(bare.code).toBe(1);
  expect(bare.stdout).toContain('NOW REFUSED\n  scout  openai/gpt-5-mini');
  expect(bare.stdout).toContain('- deny: no rule allows it (observed)\n    + deny: no rule allows it\n');

  writeFileSync(
    join(fleet.directory, '..', 'scout.yaml'),
    suggested.replace('mode: observe', 'mode: enforce'),
  );
  const whole = enforced.replace('scout: { role: watched }', 'scout: { role: scout }');
  writeFileSync(nextFile(), `include: [scout.yaml]\n${whole}`);
  const covered = await policy('diff', fleet.config, nextFile(), '--json');
  expect(covered.code).toBe(1);
  const { changes } = JSON.parse(covered.stdout) as { changes: { change: string; targets: string[] }[] };
  const refused = changes.filter(({ change }) => change === 'now_refused');
  expect(refused.map(({ targets }) => targets)).toEqual([['openai/gpt-5-pro']]);
  const kinds = new Set(changes.map(({ change }) => change));
  expect(kinds).toEqual(new Set(['now_refused', 'other_rule']));

  const same = await policy('diff', nextFile(), nextFile());
  expect([same.code, same.stdout]).toEqual([0, expect.stringMatching(/: nothing changes\.\n$/)]);
  const loosened = await policy('diff', nextFile(), fleet.config);
  expect([loosened.code, loosened.stdout]).toEqual([0, expect.stringContaining('NOW ALLOWED')]);
});

test('enforced, the same calls pass and anything new is refused', async () => {
  writeFileSync(fleet.config, readFileSync(nextFile(), 'utf8'));
  await fleet.restart('SIGTERM');
  expect(await callAll(USUAL)).toEqual(USUAL.map(() => 200));
  const other: readonly Call[] = [
    chat('gpt-5-pro'),
    chat('gpt-5'),
    { path: '/search/items/1/secrets' },
    { path: '/search/items/1', method: 'POST', body: {} },
    { path: '/search/admin' },
  ];
  expect(await callAll(other)).toEqual(other.map(() => 403));
});

test('what nobody did has no suggestion', async () => {
  const { code, stderr } = await policy('suggest', '--agent', 'nobody', '--config', fleet.config);
  expect([code, stderr]).toEqual([1, expect.stringContaining('Nothing is recorded of nobody')]);
});
