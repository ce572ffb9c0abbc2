// What the console asks, at a real collector: who gets in and what a session may, then what is answered, from records
// that an authenticated sender shipped.

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Collector, startCollector } from '../../../collector/main.ts';
import { ATTRIBUTES as A, SCOPE_NAME } from '../../../contract/attributes.ts';
import { parseConfig } from '../../../contract/config/parse.ts';
import type { AgentAnswer, CallsAnswer, FleetAnswer, TraceAnswer } from '../../../contract/console.ts';
import { systemClock } from '../../../kit/clock.ts';
import { silentLog } from '../../../kit/log.ts';
import { copyEmptyStores } from '../../support/empty-stores.ts';
import { temporaryDirectory } from '../../support/processes.ts';
import { requestBytes, type Span } from '../store/otlp.ts';

const HOSTILE = `<img src=x onerror=alert(1)>'"; drop table actions; --`;
const TRACE = '5b8aa5a2d2c872e8321cf37308d69df2';

let collector: Collector;
let token: string;

beforeAll(async () => {
  const dataDirectory = temporaryDirectory('console-api');
  copyEmptyStores(dataDirectory);
  const text = `fleet: test
roles: { any: { allow: ['http GET https://**/**'] } }
departments: { lab: {} }
agents: { scout: { role: any, department: lab, version: 1.4.0 }, pr-*: { role: any, mode: observe } }
listen: { otlp: 127.0.0.1:0, control: 127.0.0.1:0, sql: 127.0.0.1:0 }`;
  const { config } = await parseConfig([{ file: 'outrider.yaml', text }]);
  collector = await startCollector({ config, dataDirectory, env: {}, log: silentLog, clock: systemClock });
  token = readFileSync(join(dataDirectory, 'token'), 'utf8').trim();
  await ship([
    call({ target: 'openai/gpt-5-mini', model: 'gpt-5-mini', cost: '1234567', task: 'brief-1' }),
    call({ target: 'openai/gpt-5-mini', model: 'gpt-5-mini', cost: '9000000000000', task: 'brief-1' }),
    call({ status: 'failure', httpStatus: 500 }),
    call({ status: 'refused', refusal: 'out_of_scope', verdict: 'deny', trace: TRACE }),
    call({
      status: 'escalated',
      refusal: 'approval_needed',
      verdict: 'ask',
      target: 'POST https://cms.example/a',
    }),
    call({ agent: 'pr-7', wouldVerdict: 'deny', cost: null }),
    call({ agent: 'pr-7', target: HOSTILE, task: HOSTILE, parentTrace: TRACE }),
  ]);
});
afterAll(() => collector.close());

interface Made {
  readonly agent?: string;
  readonly target?: string;
  readonly model?: string;
  readonly task?: string;
  readonly status?: string;
  readonly refusal?: string;
  readonly verdict?: string;
  readonly wouldVerdict?: string;
  readonly httpStatus?: number;
  /** Nanodollars; null is unknown. */
  readonly cost?: string | null;
  readonly trace?: string;
  readonly parentTrace?: string;
}

let made = 0;
/** One call of 250 ms, each a second after the one before. */
function call({ agent = 'scout', cost = '0', ...more }: Made): Span {
  made += 1;
  const startMs = Date.now() - 60_000 + made * 1_000;
  return {
    traceId: more.trace ? Buffer.from(more.trace, 'hex') : randomBytes(16),
    spanId: randomBytes(8),
    name: 'chat',
    startUnixNano: BigInt(startMs) * 1_000_000n,
    endUnixNano: BigInt(startMs + 250) * 1_000_000n,
    attributes: {
      [A.callId]: `call-${made}`,
      [A.agent]: agent,
      [A.action]: 'llm_inference',
      [A.target]: more.target ?? 'GET https://a.example/',
      [A.upstream]: 'openai',
      [A.model]: more.model ?? '',
      [A.task]: more.task ?? '',
      [A.mode]: agent === 'scout' ? 'enforce' : 'observe',
      [A.status]: more.status ?? 'success',
      [A.refusal]: more.refusal ?? '',
      [A.verdict]: more.verdict ?? 'allow',
      [A.wouldVerdict]: more.wouldVerdict ?? more.verdict ?? 'allow',
      [A.httpStatus]: more.httpStatus ?? 200,
      [A.parentTraceId]: more.parentTrace ?? '',
      ...(cost === null ? {} : { [A.cost]: cost }),
    },
  };
}

async function ship(spans: readonly Span[]): Promise<void> {
  const body = requestBytes({ scope: { name: SCOPE_NAME, version: '0.1.0' }, spans });
  const answer = await fetch(`${collector.listen.otlp}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf', authorization: `Bearer ${token}` },
    body: new Uint8Array(body),
  });
  expect(answer.status).toBe(200);
  await collector.drain();
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** By node:http, which sends whatever path and headers it is told to, and follows nothing. */
function send(
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
  body?: string,
): Promise<Answer> {
  const { hostname, port } = new URL(collector.listen.control);
  return new Promise((resolve, reject) => {
    const request = httpRequest({ hostname, port, path, method, headers, agent: false });
    request.on('error', reject);
    request.on('response', (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += String(chunk);
      });
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }));
    });
    request.end(body);
  });
}

const bearer = () => ({ authorization: `Bearer ${token}` });

async function get<T>(path: string): Promise<T> {
  const { status, text } = await send(path, bearer());
  expect(status, text).toBe(200);
  return JSON.parse(text) as T;
}

/** `name=value` of the session that a fresh link opens. */
async function signIn(): Promise<string> {
  const { text } = await send('/v1/sessions', bearer(), 'POST');
  const { headers } = await send((JSON.parse(text) as { path: string }).path);
  return String(headers['set-cookie']).split(';')[0]!;
}

const codeOf = ({ text }: Answer) => (JSON.parse(text) as { error: { code: string } }).error.code;

describe('who gets in', () => {
  test('a link sets a cookie that scripts cannot read and other sites do not send, then is over', async () => {
    const { text } = await send('/v1/sessions', bearer(), 'POST');
    const { path } = JSON.parse(text) as { path: string };
    // a link preview asks for the head only
    expect((await send(path, {}, 'HEAD')).status).toBe(204);
    const first = await send(path);
    expect(first).toMatchObject({ status: 303, headers: { location: '/', 'cache-control': 'no-store' } });
    const port = new URL(collector.listen.control).port;
    expect(String(first.headers['set-cookie'])).toMatch(
      new RegExp(`^outrider-${port}=ors_[\\w-]{43}; Max-Age=604800; Path=/; HttpOnly; SameSite=Strict$`),
    );
    const second = await send(path);
    expect(second).toMatchObject({ status: 303, headers: { location: '/#/link-over' } });
    expect(second.headers['set-cookie']).toBeUndefined();
  });

  test('nobody gets in without a code, or with one that never was', async () => {
    for (const path of [
      '/login',
      '/login?code=',
      '/login?code=orl_x',
      `/login?code=${encodeURIComponent(HOSTILE)}`,
    ]) {
      const answer = await send(path);
      expect(answer.headers.location).toBe('/#/link-over');
      expect(answer.headers['set-cookie']).toBeUndefined();
    }
  });

  test('a session reads what a join token reads; no cookie and a wrong one read nothing', async () => {
    const cookie = await signIn();
    const paths = [
      '/v1/fleet',
      '/v1/agents/scout',
      '/v1/calls',
      `/v1/traces/${TRACE}`,
      '/v1/budgets',
      '/v1/agents',
    ];
    for (const path of paths) {
      const answer = await send(path, { cookie });
      expect([answer.status, answer.headers['cache-control']], path).toEqual([200, 'no-store']);
      expect((await send(path)).status, path).toBe(401);
      expect((await send(path, { cookie: `${cookie}x` })).status, path).toBe(401);
    }
    expect((await send('/v1/live')).status).toBe(401);
    // a wrong token is not made right by a cookie
    expect((await send('/v1/fleet', { cookie, authorization: 'Bearer ort_wrong' })).status).toBe(401);
  });

  test.each([
    ['POST', '/v1/leases'],
    ['POST', '/v1/agents'],
    ['POST', '/v1/sessions'],
    ['POST', '/v1/budgets/write-off'],
    ['POST', '/v1/tasks/t'],
    ['POST', '/v1/modes'],
    ['DELETE', '/v1/modes/scout'],
  ])('a session may not %s %s, from its own page either', async (method, path) => {
    const cookie = await signIn();
    const body = method === 'POST' ? '{}' : undefined;
    const answer = await send(path, { cookie, origin: collector.listen.control }, method, body);
    expect([answer.status, codeOf(answer)]).toEqual([403, 'not_for_sessions']);
  });

  test('a page from elsewhere cannot use the cookie: not to read, not to change', async () => {
    const cookie = await signIn();
    const port = Number(new URL(collector.listen.control).port);
    for (const site of ['cross-site', 'same-site'])
      expect(codeOf(await send('/v1/calls', { cookie, 'sec-fetch-site': site }))).toBe('foreign_origin');
    expect((await send('/v1/calls', { cookie, 'sec-fetch-site': 'same-origin' })).status).toBe(200);
    const elsewhere = [`http://127.0.0.1:${port + 1}`, `http://localhost:${port}`];
    for (const origin of elsewhere)
      expect(codeOf(await send('/v1/sessions/current', { cookie, origin }, 'DELETE'))).toBe('foreign_origin');
    expect(codeOf(await send('/v1/sessions/current', { cookie }, 'DELETE'))).toBe('foreign_origin');
    expect((await send('/v1/fleet', { cookie })).status).toBe(200);
  });

  test('signing out ends the session; a join token ends any', async () => {
    const [mine, theirs] = [await signIn(), await signIn()];
    const origin = collector.listen.control;
    const out = await send('/v1/sessions/current', { cookie: mine, origin }, 'DELETE');
    expect(out.status).toBe(200);
    expect(String(out.headers['set-cookie'])).toContain('Max-Age=0');
    expect((await send('/v1/fleet', { cookie: mine })).status).toBe(401);
    expect((await send('/v1/fleet', { cookie: theirs })).status).toBe(200);
    for (const { id } of await get<{ id: string }[]>('/v1/sessions'))
      expect((await send(`/v1/sessions/${id}`, bearer(), 'DELETE')).status).toBe(200);
    expect((await send('/v1/fleet', { cookie: theirs })).status).toBe(401);
    expect((await send('/v1/sessions/none', bearer(), 'DELETE')).status).toBe(404);
  });
});

describe('its files', () => {
  test('every answer forbids what the console does not need', async () => {
    for (const path of ['/', '/v1/fleet', '/nothing', '/healthz']) {
      const { headers } = await send(path);
      const policy = String(headers['content-security-policy']);
      expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
      expect(policy).toContain("connect-src 'self'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain('unsafe');
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      });
    }
  });

  test.each([
    '/assets/../index.html',
    '/assets/..%2findex.html',
    '/assets/%2e%2e/index.html',
    '/assets/..\\..\\vite.config.ts',
    '/assets/....//....//vite.config.ts',
    '/assets//etc/passwd',
    '/assets/%00.js',
    '/assets/.js',
    '/assets/',
    '/index.html',
    '/source/main.tsx',
    '/../../package.json',
  ])('%s is nothing', async (path) => {
    expect([400, 404]).toContain((await send(path)).status);
  });
});

describe('what it answers', () => {
  test('the fleet: sums, exact money, refusals, who waits', async () => {
    const fleet = await get<FleetAnswer>('/v1/fleet?range=1h');
    expect(fleet.sums).toMatchObject({
      calls: 7,
      failed: 1,
      refused: 1,
      escalated: 1,
      would_refuse: 1,
      cost_nanodollars: '9000001234567',
      unpriced: 1,
    });
    expect(fleet.series).toHaveLength(60);
    expect(fleet.series.reduce((sum, step) => sum + step.calls, 0)).toBe(7);
    expect(fleet.agents.map(({ agent, calls }) => [agent, calls])).toEqual([
      ['scout', 5],
      ['pr-7', 2],
    ]);
    expect(fleet.refusals.map(({ refusal }) => refusal).sort()).toEqual(['approval_needed', 'out_of_scope']);
    expect(fleet.waiting).toMatchObject([{ agent: 'scout', target: 'POST https://cms.example/a', calls: 1 }]);
  });

  test('every range agrees on the sums, whichever rollup it reads', async () => {
    const ranges = ['15m', '1h', '6h', '24h', '7d', '30d'];
    const fleets = await Promise.all(ranges.map((range) => get<FleetAnswer>(`/v1/fleet?range=${range}`)));
    for (const { sums } of fleets) expect(sums).toEqual(fleets[0]!.sums);
  });

  test('an agent: its entry, models, tasks; one that only a pattern rules; one that nobody knows', async () => {
    const scout = await get<AgentAnswer>('/v1/agents/scout?range=1h');
    expect(scout.entry).toMatchObject({ department: 'lab', version: '1.4.0', mode: 'enforce' });
    expect(scout.models).toMatchObject([{ name: 'gpt-5-mini', calls: 2, p50_ms: 250 }]);
    expect(scout.tasks).toMatchObject([
      { task: 'brief-1', state: 'open', calls: 2, cost_nanodollars: '9000001234567' },
    ]);
    const pr = await get<AgentAnswer>('/v1/agents/pr-7');
    expect(pr).toMatchObject({
      entry: { pattern: 'pr-*', mode: 'observe' },
      sums: { calls: 2, would_refuse: 1 },
    });
    const nobody = await get<AgentAnswer>(`/v1/agents/${encodeURIComponent(HOSTILE)}`);
    expect(nobody).toMatchObject({ agent: HOSTILE, entry: null, sums: { calls: 0, cost_nanodollars: '0' } });
  });

  test('calls page by page: every one once, newest first', async () => {
    const ids: string[] = [];
    let after = '';
    do {
      const page = await get<CallsAnswer>(
        `/v1/calls?limit=2${after && `&after=${encodeURIComponent(after)}`}`,
      );
      expect(page.calls.length).toBeLessThanOrEqual(2);
      ids.push(...page.calls.map(({ call_id }) => call_id));
      after = page.next ?? '';
    } while (after !== '');
    expect(ids).toEqual(['call-7', 'call-6', 'call-5', 'call-4', 'call-3', 'call-2', 'call-1']);
  });

  const filtered: [string, string[]][] = [
    ['agent=pr-7', ['call-7', 'call-6']],
    ['status=failure', ['call-3']],
    ['refusal=out_of_scope', ['call-4']],
    ['task=brief-1', ['call-2', 'call-1']],
    ['text=GPT-5', ['call-2', 'call-1']],
    [`text=${encodeURIComponent('onerror=ALERT(1)')}`, ['call-7']],
    [`text=${encodeURIComponent("'; drop")}`, []],
    [`agent=${encodeURIComponent("' OR 1=1 --")}`, []],
    ['text=%25', []],
  ];
  test.each(filtered)('calls where %s', async (query, expected) => {
    const { calls } = await get<CallsAnswer>(`/v1/calls?${query}`);
    expect(calls.map(({ call_id }) => call_id)).toEqual(expected);
  });

  test('a call whose cost nobody knows costs null, not nothing', async () => {
    const { calls } = await get<CallsAnswer>('/v1/calls?agent=pr-7');
    expect(calls.map(({ cost_nanodollars }) => cost_nanodollars)).toEqual(['0', null]);
  });

  test.each([
    '/v1/calls?limit=0',
    '/v1/calls?limit=201',
    '/v1/calls?limit=1e9',
    '/v1/calls?after=x',
    '/v1/calls?after=2026-13-45T99:99:99.999Z~a',
    '/v1/calls?status=fine',
    '/v1/calls?range=1y',
    '/v1/fleet?range=',
    '/v1/traces/xyz',
    `/v1/traces/${TRACE.toUpperCase()}`,
  ])('%s is refused with a sentence', async (path) => {
    const answer = await send(path, bearer());
    expect([answer.status, codeOf(answer)]).toEqual([400, 'bad_request']);
  });

  test('text longer than any column is refused', async () => {
    expect((await send(`/v1/calls?text=${'x'.repeat(256)}`, bearer())).status).toBe(200);
    expect(codeOf(await send(`/v1/calls?text=${'x'.repeat(257)}`, bearer()))).toBe('bad_request');
  });

  test('a trace: its spans and calls, and the traces begun from it', async () => {
    const trace = await get<TraceAnswer>(`/v1/traces/${TRACE}`);
    expect(trace.spans).toMatchObject([{ name: 'chat', offset_ns: 0, duration_ns: 250_000_000 }]);
    expect(trace.calls).toMatchObject([{ status: 'refused', refusal: 'out_of_scope' }]);
    expect(trace.children).toMatchObject([{ agent: 'pr-7', calls: 1 }]);
    expect((await send(`/v1/traces/${'0'.repeat(31)}1`, bearer())).status).toBe(404);
  });
});

describe('live', () => {
  let cookie: string;
  beforeEach(async () => {
    cookie = await signIn();
  });

  const listen = async () => {
    const stop = new AbortController();
    const answer = await fetch(`${collector.listen.control}/v1/live`, {
      headers: { cookie },
      signal: stop.signal,
    });
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    return { answer, reader, stop: () => stop.abort() };
  };
  const readUntil = async (reader: ReadableStreamDefaultReader<string>, wanted: string): Promise<string> => {
    let text = '';
    while (!text.includes(wanted)) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`The stream ended without ${wanted}: ${text}`);
      text += value;
    }
    return text;
  };

  test('a call is told once after it ends; what was there before is not', async () => {
    const { answer, reader, stop } = await listen();
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    // The first look has been had when the first beat with a time comes.
    await readUntil(reader, '"at":');
    const fresh = call({ target: HOSTILE });
    await ship([{ ...fresh, endUnixNano: BigInt(Date.now()) * 1_000_000n }]);
    const text = await readUntil(reader, 'event: calls');
    const rest = text + (await readUntil(reader, 'event: beat'));
    expect(rest.match(/"call_id":"[^"]*"/g)).toEqual([`"call_id":"call-${made}"`]);
    stop();
  });

  test('the stream of a session that is over ends', async () => {
    const { reader } = await listen();
    await send('/v1/sessions/current', { cookie, origin: collector.listen.control }, 'DELETE');
    let done = false;
    while (!done) ({ done } = await reader.read());
    expect(done).toBe(true);
  });
});
