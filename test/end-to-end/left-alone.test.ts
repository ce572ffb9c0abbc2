// A whole sidecar before a provider that fails, throttles or wants to be paid, with the official SDKs: who is asked, who is
// not, and what they are told.

import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Behaviour } from '../../examples/provider/provider.ts';
import { type Fleet, startFleet } from './fleet.ts';

const MIN_CALLS = 80;
const YAML = `fleet: test
mode: enforce
budgets: none
upstreams:
  openai: { url: "{provider}/openai", speaks: openai, credential: key }
  broke: { url: "{provider}/openai", speaks: openai, credential: key }
  anthropic: { url: "{provider}/anthropic", speaks: anthropic, credential: key }
  counted: { url: "{provider}/openai", speaks: openai, credential: key, limits: { requests: 2/hour } }
  metered: { url: "{provider}/openai", speaks: openai, credential: key }
credentials: { key: { from: env:REAL_KEY } }
roles: { any: { allow: [llm openai/*, llm broke/*, llm anthropic/*, llm counted/*, llm metered/*] } }
agents: { scout: { role: any, limits: { tokens: 100k/hour } } }
prices: { openai/*: free, broke/*: free, anthropic/*: free, counted/*: free, metered/*: free }
breakers: { min_calls: ${MIN_CALLS} }
drain: 2s
listen: { proxy: 127.0.0.1:0, admin: 127.0.0.1:0, otlp: 127.0.0.1:0, control: 127.0.0.1:0, sql: 127.0.0.1:0 }
`;

let fleet: Fleet;
let behaviour: Behaviour = {};
beforeAll(async () => {
  fleet = await startFleet(YAML);
  fleet.behave(() => behaviour);
});
afterAll(async () => {
  expect(await fleet.stop()).toBe(0);
});

const openai = (upstream: string, maxRetries: number): OpenAI =>
  new OpenAI({ baseURL: `${fleet.proxy}/${upstream}/v1`, apiKey: 'agent', maxRetries });
const anthropic = (maxRetries: number): Anthropic =>
  new Anthropic({ baseURL: `${fleet.proxy}/anthropic`, apiKey: 'agent', maxRetries });

const chat = (upstream: string, model = 'gpt-5-mini', maxRetries = 0, most = 20) =>
  openai(upstream, maxRetries).chat.completions.create({
    model,
    max_completion_tokens: most,
    messages: [{ role: 'user', content: 'hi' }],
  });
const message = (maxRetries: number) =>
  anthropic(maxRetries).messages.create({
    model: 'claude-haiku-4-5',
    max_tokens: 20,
    messages: [{ role: 'user', content: 'hi' }],
  });

interface Failure {
  readonly status: number;
  readonly headers: Headers;
}
const failureOf = (call: Promise<unknown>): Promise<Failure | null> =>
  call.then(
    () => null,
    (failure: unknown) => failure as Failure,
  );
const explained = async (rule: string): Promise<{ stopped_by: { reason: string; what: string } | null }> =>
  (await fetch(`${fleet.admin}/v1/explain?rule=${encodeURIComponent(rule)}`)).json() as never;
const metrics = async (): Promise<string> => (await fetch(`${fleet.admin}/metrics`)).text();

it('CB-11: a 429 with retry-after keeps the next call of that model away from the provider', async () => {
  behaviour = { status: 429, headers: { 'retry-after': '30' } };
  expect((await failureOf(chat('openai')))?.status).toBe(429);
  behaviour = {};
  const asked = fleet.provider.requests.length;
  const refused = await failureOf(chat('openai'));
  expect(refused?.status).toBe(429);
  expect(refused?.headers.get('x-outrider-refusal')).toBe('rate_limited');
  expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThanOrEqual(29);
  expect(fleet.provider.requests).toHaveLength(asked);
  expect(await failureOf(chat('openai', 'gpt-5'))).toBeNull();
  expect((await explained('llm openai/gpt-5-mini')).stopped_by?.reason).toBe('upstream_throttled');
});

it('CB-12: a spent quota is asked for once, however often its client would retry', async () => {
  const body = JSON.stringify({
    error: { message: 'No.', type: 'insufficient_quota', code: 'insufficient_quota' },
  });
  behaviour = {
    status: 429,
    raw: { contentType: 'application/json', body },
    headers: { 'retry-after-ms': '1' },
  };
  const asked = fleet.provider.requests.length;
  await failureOf(chat('broke', 'gpt-5-mini', 2));
  expect(fleet.provider.requests).toHaveLength(asked + 1);
  behaviour = {};
  const refused = await failureOf(chat('broke', 'gpt-5', 2));
  expect(refused?.headers.get('x-should-retry')).toBe('false');
  expect(fleet.provider.requests).toHaveLength(asked + 1);
  expect((await explained('llm broke/gpt-5')).stopped_by).toMatchObject({ reason: 'provider_quota' });
  expect(await metrics()).toContain('outrider_quota_spent{upstream="broke"} 1');
});

it('a limit of an upstream holds for all its models, a limit of tokens for the agent', async () => {
  expect(await failureOf(chat('counted', 'a'))).toBeNull();
  expect(await failureOf(chat('counted', 'b'))).toBeNull();
  expect((await failureOf(chat('counted', 'c')))?.headers.get('x-outrider-refusal')).toBe('rate_limited');
  expect(await failureOf(chat('metered', 'a', 0, 90_000))).toBeNull();
  expect(await failureOf(chat('metered', 'a', 0, 90_000))).toBeNull(); // it used little of what it could
});

it('CB-14: clients that retry twice ask an overloaded provider at most a tenth more', async () => {
  behaviour = { status: 529, headers: { 'retry-after-ms': '1' } };
  const asked = fleet.provider.requests.length;
  const calls = 60;
  for (let i = 0; i < calls; i++) expect((await failureOf(message(2)))?.status).toBe(529);
  expect(fleet.provider.requests.length - asked).toBeGreaterThan(calls);
  expect(fleet.provider.requests.length - asked).toBeLessThanOrEqual(1.1 * calls + 1);
});

it('CB-02, CB-20: an open circuit asks nobody, is shown, and begins with one trial after a restart', async () => {
  let refused: Failure | null = null;
  for (let i = 0; i <= MIN_CALLS && refused?.status !== 503; i++) refused = await failureOf(message(0));
  expect(refused?.headers.get('x-outrider-refusal')).toBe('circuit_open');
  expect((await explained('llm anthropic/claude-haiku-4-5')).stopped_by?.reason).toBe('circuit_open');
  expect(await metrics()).toContain('outrider_circuit_state{circuit="anthropic/claude-haiku-4-5"} 2');
  behaviour = {};
  const asked = fleet.provider.requests.length;
  expect((await failureOf(message(0)))?.status).toBe(503);
  expect(fleet.provider.requests).toHaveLength(asked);
  await fleet.restart('SIGKILL');
  behaviour = { firstByteMs: 300 };
  const both = await Promise.all([failureOf(message(0)), failureOf(message(0))]);
  expect(both.map((failure) => failure?.status ?? 200).sort()).toEqual([200, 503]);
  behaviour = {};
  expect(await failureOf(message(0))).toBeNull();
});
