// What follows a failed attempt, by the table of fleet operations: what is tried again, after how long, and what never is.
// The clock is turned by hand; calls are parsed, recognised and judged as in the pipeline.

import { beforeEach, describe, expect, it } from 'vitest';
import type { Config } from '../../../contract/config/config.ts';
import { Refusal } from '../../../contract/refusals.ts';
import { silentLog } from '../../../kit/log.ts';
import { type Attempts, createAttempts } from '../../../sidecar/attempts/attempts.ts';
import { createRetryBudget, type RetryBudget } from '../../../sidecar/attempts/retry-budget.ts';
import type { Answer, Answered, AnswerSink, Authorized } from '../../../sidecar/call.ts';
import { DialFailure, type DialFailureKind } from '../../../sidecar/edges/dial-failure.ts';
import { SendFailure } from '../../../sidecar/edges/upstreams.ts';
import { judgementOf } from '../../../sidecar/stages/authorize.ts';
import { send } from '../../../sidecar/stages/send.ts';
import type { Trail } from '../../../sidecar/trail.ts';
import { type ManualClock, manualClock } from '../../support/manual-clock.ts';
import { type Asked, callOf, configOf, DIALECTS, now, Response } from './calls.ts';

const YAML = `budgets: none
mode: enforce
upstreams:
  openai: { url: https://a.example, speaks: openai, credential: key }
  other: { url: https://b.example/api, speaks: openai, credential: key }
  theirs: { url: https://c.example, speaks: openai, credential: agent }
  claude: { url: https://d.example, speaks: anthropic, credential: key }
  files: { url: https://e.example/mcp, speaks: mcp }
  search: { url: https://f.example, speaks: http }
credentials: { key: { from: env:KEY } }
roles:
  r:
    allow: [llm openai/*, llm other/*, llm theirs/*, llm claude/*, mcp files/*, http * https://f.example/**]
    deny: ['llm other/tools when has(args.tools)']
agents: { scout: { role: r } }
`;
const CHAIN = YAML.replace(
  '  r:\n',
  '  r:\n    fallback: [theirs/x, other/tools, claude/c, openai/small, other/spare]\n',
);

let clock: ManualClock;
let budget: RetryBudget;
let attempts: Attempts;
let plain: Config;
let chained: Config;
let drawn = 0;
let broken = false;
let leftAloneMs: number | null = null;
beforeEach(async () => {
  clock = manualClock();
  budget = createRetryBudget(clock);
  for (let i = 0; i < 100; i++) budget.called();
  drawn = 0;
  [plain, chained] = await Promise.all([configOf(YAML), configOf(CHAIN)]);
  broken = false;
  leftAloneMs = null;
  attempts = createAttempts({
    dialects: DIALECTS,
    judge(call) {
      if (broken) throw new Error('a mistake of ours');
      return judgementOf(call, { now });
    },
    log: silentLog,
    budget,
    clock,
    random: () => 0.5,
    identity: () => ({
      id: `attempt ${++drawn}`,
      spanId: String(drawn).repeat(16),
      startedAtMs: clock.nowMs(),
      startedMonotonicMs: clock.monotonicMs(),
    }),
    heard: () => leftAloneMs,
  });
});

const CHAT: Asked = {
  upstream: 'openai',
  path: '/v1/chat/completions',
  body: { model: 'gpt', messages: [] },
};
const TOOL = (method: string): Asked => ({
  upstream: 'files',
  path: '/mcp',
  body: {
    jsonrpc: '2.0',
    id: 1,
    method,
    params: method === 'tools/call' ? { name: 'write', arguments: {} } : {},
  },
});
const SEARCH = (method: string): Asked => ({ upstream: 'search', path: '/q', method, body: { q: 1 } });

interface Told {
  closed: boolean;
  readonly followed: (Refusal | null)[];
}
function trailOf(): { trail: Trail; told: Told } {
  const told: Told = { closed: false, followed: [] };
  const trail = {
    get closed() {
      return told.closed;
    },
    answering: () => undefined,
    followed(failure: Refusal | null) {
      told.closed = true;
      told.followed.push(failure);
    },
    decide: async () => undefined,
    onHangUp: () => undefined,
    sent: () => undefined,
  } as unknown as Trail;
  return { trail, told };
}

const answerOf = (status: number, headers: Record<string, string> = {}, body = '{}'): Answer => ({
  status,
  headers: Object.entries(headers).flat(),
  header: (name) => headers[name],
  listen(sink: AnswerSink) {
    sink.data(Buffer.from(body));
    sink.end();
  },
  pause: () => undefined,
  resume: () => undefined,
  abort: () => undefined,
});

/** Lets what is waiting for nothing but its turn go on. */
const settle = async (): Promise<void> => {
  for (let i = 0; i < 10; i++) await Promise.resolve();
};

type Outcome = { next: Authorized | null; told: Told; answered: Answered };
function afterAnswer(call: Authorized, answer: Answer): { done: Promise<Outcome>; told: Told } {
  const { trail, told } = trailOf();
  const answered = Object.assign(call, { answer, outbound: {} }) as unknown as Answered;
  return { told, done: attempts.afterAnswer(answered, trail).then((next) => ({ next, told, answered })) };
}

/** What the stage throws when the exchange fails so, handed on as the pipeline does. */
async function afterSend(call: Authorized, failure: SendFailure): Promise<Outcome & { refusal: Refusal }> {
  const { trail, told } = trailOf();
  const upstreams = { send: () => Promise.reject(failure) } as never;
  const refusal = (await send(call as never, upstreams, trail).catch((thrown: unknown) => thrown)) as Refusal;
  const done = attempts.afterFailure(refusal, call, trail);
  clock.advance(300);
  await settle();
  clock.advance(300);
  return { next: await done, told, answered: call as Answered, refusal };
}
const lost = (): SendFailure => new SendFailure('broken', true, null);
const late = (): SendFailure => new SendFailure('timeout', true, null);
const unreached = (reason = 'connect_failed', kind: DialFailureKind = 'unreachable'): SendFailure =>
  new SendFailure(kind, false, new DialFailure(kind, reason, { host: 'h' }));

describe('an answer that says to come back later', () => {
  it('429 is tried again when the wait is over, in a call of its own', async () => {
    const { done, told } = afterAnswer(callOf(plain, CHAT), answerOf(429, { 'retry-after': '3' }));
    await settle();
    expect(told.followed).toEqual([null]);
    clock.advance(2_999);
    await settle();
    expect(drawn).toBe(0);
    clock.advance(251);
    const { next } = await done;
    expect(next).toMatchObject({
      id: 'attempt 1',
      startedMonotonicMs: 3_250,
      lineage: { spanId: '1'.repeat(16) },
    });
    expect(next?.later).toMatchObject({ number: 2, asked: '', first: { id: 'first' } });
    expect(next?.json).toEqual(CHAT.body);
  });

  it('429 without a word of how long is tried again when its upstream is no longer left alone', async () => {
    leftAloneMs = 1_200;
    const { done } = afterAnswer(callOf(plain, CHAT), answerOf(429));
    await settle();
    clock.advance(1_449);
    await settle();
    expect(drawn).toBe(0);
    clock.advance(1);
    expect((await done).next).toMatchObject({ id: 'attempt 1' });
  });

  it('429 of an upstream that is left alone for longer than a call may wait is the agent’s own', async () => {
    leftAloneMs = 8_000;
    expect((await afterAnswer(callOf(plain, CHAT), answerOf(429)).done).next).toBeNull();
  });

  it.each([
    ['429 with a longer wait than retries.wait', 429, { 'retry-after': '6' }],
    ['429 of a spent quota', 429, {}, '{"error":{"code":"insufficient_quota"}}'],
    ['503, which wants half a minute', 503, {}],
    ['529, which wants half a minute', 529, {}],
    ['500', 500, {}],
    ['400', 400, {}],
    ['401', 401, {}],
    ['403', 403, {}],
    ['404', 404, {}],
    ['422', 422, {}],
  ])('%s passes to the agent', async (_, status, headers, body?: string) => {
    const { next, told } = await afterAnswer(callOf(plain, CHAT), answerOf(status, headers, body)).done;
    expect(next).toBeNull();
    expect(told.followed).toEqual([]);
  });

  it.each([
    [503, '45'],
    [529, '45'],
    [429, '3'],
    [500, undefined],
  ])('%i tells the agent for how long where its upstream did not', async (status, seconds) => {
    // 429 is not tried again here, because the client does that by itself
    const asked = { ...CHAT, headers: { 'x-stainless-retry-count': '0' } };
    const { answered } = await afterAnswer(callOf(plain, asked), answerOf(status)).done;
    const at = answered.answer.headers.indexOf('retry-after');
    expect(at < 0 ? undefined : answered.answer.headers[at + 1]).toBe(seconds);
    const told = await afterAnswer(callOf(plain, asked), answerOf(status, { 'retry-after': '9' })).done;
    expect(told.answered.answer.headers).toEqual(['retry-after', '9']);
  });

  it('hands every byte on where nothing follows', async () => {
    const { answered } = await afterAnswer(
      callOf(plain, CHAT),
      answerOf(429, { 'retry-after': '60' }, 'Grüße'),
    ).done;
    const got: string[] = [];
    answered.answer.listen({
      data: (chunk) => got.push(chunk.toString()),
      end: () => got.push('end'),
      failed: () => got.push('failed'),
    });
    expect(got).toEqual(['Grüße', 'end']);
  });

  it('CB-15: is left to a client that retries by itself', async () => {
    for (const headers of [
      { 'x-stainless-retry-count': '0' },
      { 'amz-sdk-request': 'attempt=1; max=3' },
      { 'user-agent': 'ai/5.0.1 ai-sdk/openai/2.0.0' },
    ]) {
      const call = callOf(plain, { ...CHAT, headers });
      expect((await afterAnswer(call, answerOf(429, { 'retry-after': '1' })).done).next).toBeNull();
    }
  });

  it('is not tried again for an agent that left while it waited', async () => {
    const response = new Response();
    const { done } = afterAnswer(callOf(plain, CHAT, response), answerOf(429, { 'retry-after': '3' }));
    await settle();
    response.leave();
    await expect(done).rejects.toMatchObject({ detail: { reason: 'client_closed' } });
    expect(drawn).toBe(0);
  });

  it('is not tried again twice, nor beyond the budget, nor where retries are none, nor while observed', async () => {
    const again = async (config: Config, call = callOf(config, CHAT)): Promise<Authorized | null> => {
      const { done } = afterAnswer(call, answerOf(429));
      await settle();
      clock.advance(1_000);
      return (await done).next;
    };
    const second = await again(plain);
    expect(await again(plain, second!)).toBeNull();
    expect(await again(await configOf(`${YAML}retries: none\n`))).toBeNull();
    expect(await again(await configOf(YAML.replace('mode: enforce', 'mode: observe')))).toBeNull();
    while (budget.take());
    expect(await again(plain)).toBeNull();
  });
});

describe('no answer at all', () => {
  it('a timeout is tried once more with twice the patience', async () => {
    const { next } = await afterSend(callOf(plain, CHAT), late());
    expect(next?.later).toMatchObject({ number: 2, patience: 2 });
    const timeouts: unknown[] = [];
    const upstreams = {
      send(_: unknown, given: unknown) {
        timeouts.push(given);
        return Promise.reject(late());
      },
    };
    await send(next as never, upstreams as never, trailOf().trail).catch(() => undefined);
    expect(timeouts).toMatchObject([
      { connectMs: 5_000, firstByteMs: 240_000, idleMs: 120_000, totalMs: 3_600_000 },
    ]);
    expect((await afterSend(next!, late())).next).toBeNull();
  });

  it.each([
    ['a model call', CHAT],
    ['GET', SEARCH('GET')],
    ['PUT', SEARCH('PUT')],
    ['DELETE', SEARCH('DELETE')],
    ['tools/list', TOOL('tools/list')],
  ])('%s that was sent may be sent again', async (_, asked) => {
    const { next, refusal } = await afterSend(callOf(plain, asked), lost());
    expect(next?.later?.number).toBe(2);
    expect(refusal.mayRetry).toBe(true);
  });

  it.each([
    ['POST', SEARCH('POST')],
    ['PATCH', SEARCH('PATCH')],
    ['tools/call', TOOL('tools/call')],
    [
      'work in the background',
      { upstream: 'openai', path: '/v1/responses', body: { model: 'gpt', input: 'x', background: true } },
    ],
    [
      'a batch',
      {
        upstream: 'openai',
        path: '/v1/batches',
        body: { input_file_id: 'f', endpoint: '/v1/responses', completion_window: '24h' },
      },
    ],
  ])('CB-17: %s that may have happened is never sent again, and the agent is told', async (_, asked) => {
    for (const failure of [lost(), late()]) {
      const { next, refusal } = await afterSend(callOf(plain, asked), failure);
      expect(next).toBeNull();
      expect(refusal).toMatchObject({ detail: { reason: 'outcome_unknown' }, mayRetry: false });
      expect(refusal.message).toContain('look before asking again');
    }
  });

  it.each([
    ['POST', SEARCH('POST')],
    ['tools/call', TOOL('tools/call')],
    ['a model call', CHAT],
  ])('%s that reached nobody is tried once more', async (_, asked) => {
    const { next } = await afterSend(callOf(plain, asked), unreached());
    expect(next?.later?.number).toBe(2);
  });

  it('a server that cannot prove who it is, or must not be dialled, is not asked again', async () => {
    expect((await afterSend(callOf(plain, CHAT), unreached('upstream_tls'))).next).toBeNull();
    expect((await afterSend(callOf(plain, CHAT), unreached('addr_private', 'forbidden'))).next).toBeNull();
  });
});

describe('along the chain', () => {
  const circuitOpen = (): Refusal => new Refusal('circuit_open', 'left alone');
  const follow = (call: Authorized, failure: unknown = circuitOpen()): Promise<Authorized | null> =>
    attempts.afterFailure(failure, call, trailOf().trail);
  const targets = async (call: Authorized): Promise<string[]> => {
    const found: string[] = [];
    for (let next = await follow(call); next; next = await follow(next)) found.push(next.judgement.target);
    return found;
  };

  it('goes once, in order, past what cannot serve: another wire form, the agent’s own key, what it may not call', async () => {
    const tools = [{ type: 'function', function: { name: 'f' } }];
    const call = callOf(chained, { ...CHAT, body: { ...CHAT.body, tools } });
    expect(await targets(call)).toEqual(['openai/small', 'other/spare']);
    expect(await targets(callOf(chained, CHAT))).toEqual(['other/tools', 'openai/small', 'other/spare']);
  });

  it('begins behind the model asked for where that stands in the chain', async () => {
    const call = callOf(chained, { ...CHAT, body: { model: 'small', messages: [] } });
    expect(await targets(call)).toEqual(['other/spare']);
    const last = callOf(chained, {
      upstream: 'other',
      path: '/api/v1/chat/completions',
      body: { model: 'spare', messages: [] },
    });
    expect(await targets(last)).toEqual([]);
  });

  it('changes the model’s name, the upstream and its path, and keeps every other byte', async () => {
    const body = { messages: [{ role: 'user', content: 'model: gpt' }], model: 'gpt', n: 2 };
    const next = await follow(callOf(chained, { ...CHAT, body }));
    expect(next).toMatchObject({ upstream: { name: 'other' }, head: { path: '/api/v1/chat/completions' } });
    expect(next!.body.toString()).toBe(JSON.stringify({ ...body, model: 'tools' }));
    expect(next).toMatchObject({
      description: { model: 'tools', choices: 2 },
      later: { asked: 'openai/gpt', number: 2 },
    });
  });

  it.each([
    ['a spent quota', 429, '{"error":{"code":"insufficient_quota"}}'],
    ['an overloaded provider', 529, '{}'],
    ['a fault of the provider', 500, '{}'],
  ])('%s: another model at once', async (_, status, body) => {
    const { next } = await afterAnswer(callOf(chained, CHAT), answerOf(status, {}, body)).done;
    expect(next?.judgement.target).toBe('other/tools');
  });

  it.each([400, 401, 403, 404, 413, 422])('%i is the agent’s own: nobody else is asked', async (status) => {
    expect((await afterAnswer(callOf(chained, CHAT), answerOf(status)).done).next).toBeNull();
  });

  it('goes on where a fallback does not take what another was asked', async () => {
    const next = await follow(callOf(chained, CHAT));
    const { next: after } = await afterAnswer(next!, answerOf(400)).done;
    expect(after?.judgement.target).toBe('openai/small');
  });

  it('is not gone along for money, for the agent’s own rate, or for what no other could mend', async () => {
    for (const code of [
      'over_budget',
      'unpriced',
      'rate_limited',
      'bad_request',
      'audit_unavailable',
      'agent_quarantined',
    ] as const)
      expect(await follow(callOf(chained, CHAT), new Refusal(code, 'no'))).toBeNull();
    expect(await follow(callOf(chained, CHAT), new Error('a mistake of ours'))).toBeNull();
  });

  it('leaves the agent its answer, and its refusal, where looking for another attempt fails', async () => {
    const next = await follow(callOf(chained, CHAT));
    broken = true;
    const { next: after, answered, told } = await afterAnswer(callOf(chained, CHAT), answerOf(500)).done;
    expect([after, answered.answer.status, told.closed]).toEqual([null, 500, false]);
    expect(await follow(next!, new Refusal('over_budget', 'no'))).toBeNull();
  });

  it('passes by a fallback that is too dear, and one that is left alone', async () => {
    const next = await follow(callOf(chained, CHAT));
    expect((await follow(next!, new Refusal('over_budget', 'no')))?.judgement.target).toBe('openai/small');
    const alone = new Refusal('rate_limited', 'no', { reason: 'upstream_throttled' });
    expect((await follow(next!, alone))?.judgement.target).toBe('openai/small');
  });

  it('asks an origin that was asked already only within the budget; one that was not is no extra load there', async () => {
    while (budget.take());
    const { next } = await afterAnswer(callOf(chained, CHAT), answerOf(500)).done;
    expect(next?.judgement.target).toBe('other/tools');
    const { next: after } = await afterAnswer(next!, answerOf(500)).done;
    expect(after).toBeNull(); // openai and other were both asked
    expect(await targets(callOf(chained, CHAT))).toHaveLength(3); // nobody was asked: all their circuits are open
  });

  it('is not gone along while observed, nor by what asks no model', async () => {
    const observed = await configOf(CHAIN.replace('mode: enforce', 'mode: observe'));
    expect(await follow(callOf(observed, CHAT))).toBeNull();
    expect(await follow(callOf(chained, TOOL('tools/call')))).toBeNull();
    expect(
      await follow(callOf(chained, { upstream: 'openai', path: '/v1/models', method: 'GET' })),
    ).toBeNull();
  });
});
