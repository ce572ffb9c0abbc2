// What observing notes is what enforcing refuses: the same calls, first enforced, then observed.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { converse, dial } from '../doors/wire.ts';
import { runOutrider, until } from '../support/processes.ts';
import { type Fleet, SAMPLE, startFleet } from './fleet.ts';

const RATE = 12;
const YAML = SAMPLE.replace('\nbudgets:', '\nprohibited: ["http DELETE {provider}/search/**"]\nbudgets:')
  .replace('- llm openai/gpt-5-mini', '- llm openai/gpt-5-mini\n      - llm openai/mystery')
  .replace('ask: [', `limits: { max_output_tokens: 100, requests: ${RATE}/hour }\n    ask: [`)
  .replace('drain: 2s', 'drain: 2s\nbreakers: { min_calls: 2, cooldown: 10m }');

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet(YAML);
});
afterAll(() => fleet.stop());

interface Call {
  readonly path: string;
  readonly method?: string;
  readonly type?: string;
  readonly body?: string;
}
const chat = (model: string, tokens = 10): Call => ({
  path: '/openai/v1/chat/completions',
  body: JSON.stringify({ model, max_tokens: tokens, messages: [{ role: 'user', content: 'hi' }] }),
});

async function call({ path, method, type, body }: Call): Promise<{ status: number; id: string }> {
  const answer = await fetch(fleet.proxy + path, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { 'content-type': type ?? 'application/json' },
    ...(body === undefined ? {} : { body }),
  });
  await answer.arrayBuffer();
  return { status: answer.status, id: answer.headers.get('x-outrider-call')! };
}

interface Recorded {
  readonly mode: string;
  readonly verdict: string;
  readonly would_verdict: string;
  readonly refusal: string;
  readonly would_refusal: string;
}

async function recorded(calls: readonly string[]): Promise<Recorded[]> {
  await fleet.actions(calls);
  const rows = await fleet.query<Recorded & { call_id: string }>(
    'SELECT call_id, mode, verdict, would_verdict, refusal, would_refusal FROM actions',
  );
  return calls.map((id) => rows.find(({ call_id }) => call_id === id)!);
}

async function switchTo(mode: 'observe' | 'enforce'): Promise<void> {
  const order = [mode, '--agent', 'scout', '--for', '1h', '--reason', 'test'];
  const place = ['--collector', fleet.control, '--data', fleet.directory];
  const { code, stderr } = await runOutrider(['mode', ...order, ...place], { env: { OUTRIDER_TOKEN: '' } });
  expect([code, stderr]).toEqual([0, '']);
  await until(
    () => fleet.agents(),
    ([agent]) => agent?.mode === mode,
  );
}

const REFUSED: readonly (readonly [name: string, call: Call, refusal: string, would: string])[] = [
  ['a model no rule allows', chat('gpt-5.4'), 'out_of_scope', 'deny'],
  ['a model to be asked about', chat('gpt-5-pro'), 'approval_needed', 'ask'],
  ['an endpoint nobody knows', { path: '/openai/v1/assistants' }, 'out_of_scope', 'deny'],
  ['a body that is no JSON', { path: '/openai/v1/chat/completions', body: '{' }, 'bad_request', 'deny'],
  ['a body of another type', { ...chat('gpt-5-mini'), type: 'text/plain' }, 'bad_request', 'deny'],
  ['more output than the role may', chat('gpt-5-mini', 101), 'bad_request', 'allow'],
  ['a model without a price', chat('mystery'), 'unpriced', 'allow'],
  ['an upstream that keeps failing', { path: '/search/broken' }, 'circuit_open', 'allow'],
];

test('enforced, each is refused for a reason of its own', async () => {
  fleet.behave(({ path }) => (path.endsWith('/broken') ? { status: 500 } : undefined));
  for (let i = 0; i < 2; i++) expect((await call({ path: '/search/broken' })).status).toBe(500);
  const ids: string[] = [];
  for (const [, each] of REFUSED) ids.push((await call(each)).id);
  const rows = await recorded(ids);
  expect(rows.map(({ refusal, would_verdict }) => [refusal, would_verdict])).toEqual(
    REFUSED.map(([, , refusal, would]) => [refusal, would]),
  );
  for (const row of rows)
    expect(row).toMatchObject({ mode: 'enforce', verdict: row.would_verdict, would_refusal: '' });
});

test('observed, each passes and is on record with that reason', async () => {
  await switchTo('observe');
  const answers: { status: number; id: string }[] = [];
  for (const [, each] of REFUSED) answers.push(await call(each));
  expect(answers.map(({ status }) => status)).not.toContain(403);
  const rows = await recorded(answers.map(({ id }) => id));
  expect(rows.map(({ would_refusal, would_verdict }) => [would_refusal, would_verdict])).toEqual(
    REFUSED.map(([, , refusal, would]) => [refusal, would]),
  );
  for (const row of rows) expect(row).toMatchObject({ mode: 'observe', verdict: 'allow', refusal: '' });
});

test('observed, a rate lets pass and says so', async () => {
  const plain: string[] = [];
  for (let i = 0; i < RATE + 1; i++) {
    const { status, id } = await call(chat('gpt-5-mini'));
    expect(status).toBe(200);
    plain.push(id);
  }
  const last = (await recorded(plain)).map(({ would_refusal }) => would_refusal);
  expect(last[0]).toBe('');
  expect(last.at(-1)).toBe('rate_limited');
});

test('observed, what is prohibited is refused, and so is what cannot be carried', async () => {
  const prohibited = await call({ path: '/search/x', method: 'DELETE' });
  const nowhere = await call({ path: '/nowhere/x' });
  expect([prohibited.status, nowhere.status]).toEqual([403, 400]);
  expect(await recorded([prohibited.id, nowhere.id])).toMatchObject([
    { mode: 'observe', verdict: 'prohibited', would_verdict: 'prohibited', refusal: 'prohibited' },
    { mode: 'observe', verdict: 'deny', would_verdict: 'deny', refusal: 'bad_request' },
  ]);
});

test('SSRF-33: observed, a host that nobody declared has the ports of the web alone', async () => {
  for (const port of [22, 6379, 8443]) {
    const host = `site.example:${port}`;
    const head = `GET http://${host}/x HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    const heard = await converse(await dial(fleet.proxy), [head]);
    expect(heard.statuses).toEqual([403]);
    expect(heard.text).toContain('"reason":"port_not_named"');
  }
});
