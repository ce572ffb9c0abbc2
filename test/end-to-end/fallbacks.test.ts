// Retries and fallbacks with the official SDKs: what the agent gets is what it would have got from whoever served, down to
// the tool call and the stream's last event; only a header and the records say that it was another.

import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Behaviour,
  type Provider,
  type ReceivedRequest,
  startProvider,
} from '../../examples/provider/provider.ts';
import { until } from '../support/processes.ts';
import { type Action, AGENT_KEY, type Fleet, startFleet } from './fleet.ts';

const yaml = (spare: string): string => `fleet: test
mode: enforce
budgets: [$1000/month]
upstreams:
  openai: { url: "{provider}/openai", speaks: openai, credential: key }
  spare: { url: "${spare}/openai", speaks: openai, credential: key, priced_as: openai }
  anthropic: { url: "{provider}/anthropic", speaks: anthropic, credential: key }
  spare-anthropic: { url: "${spare}/anthropic", speaks: anthropic, credential: key, priced_as: anthropic }
  search: { url: "{provider}/search", speaks: http }
credentials: { key: { from: env:REAL_KEY } }
roles:
  writer:
    allow:
      - llm openai/*
      - llm spare/gpt-5-mini
      - llm anthropic/*
      - llm spare-anthropic/claude-haiku-4-5
      - http POST {provider}/search/**
    fallback: [spare/gpt-5-mini, spare-anthropic/claude-haiku-4-5, openai/last]
agents:
  scout: { role: writer, budgets: [$100/month] }
prices:
  openai/last: { input: 1, output: 1, max_output: 1000 }
  openai/broken: { input: 1, output: 1, max_output: 1000 }
timeouts: { connect: 2s, first_byte: 1s, idle: 2s, total: 20s }
retries: { wait: 2s }
breakers: { min_calls: 3, failure_rate: 1 }
drain: 2s
listen: { proxy: 127.0.0.1:0, admin: 127.0.0.1:0, otlp: 127.0.0.1:0, control: 127.0.0.1:0, sql: 127.0.0.1:0 }
`;

interface Attempt extends Action {
  readonly attempt: number;
  readonly retry_of: string;
  readonly asked: string;
}

let fleet: Fleet;
let spare: Provider;
let ofSpare: Behaviour | undefined;
beforeAll(async () => {
  spare = await startProvider({ behave: () => ofSpare });
  fleet = await startFleet(yaml(spare.url));
});
afterAll(async () => {
  expect(await fleet.stop()).toBe(0);
  await spare.close();
});
beforeEach(() => {
  ofSpare = undefined;
  fleet.behave(() => undefined);
});

const MESSAGES = [{ role: 'user' as const, content: 'What is the weather in Oslo?' }];
const WEATHER = { type: 'object' as const, properties: { city: { type: 'string' } } };
const TOOL_CALL = { toolCalls: [{ name: 'weather', arguments: '{"city":"Oslo"}', id: 'call_1' }] };

/** All attempts of the call that an answer belongs to, in order. */
async function attemptsOf(answer: { readonly headers: Headers }): Promise<Attempt[]> {
  const id = answer.headers.get('x-outrider-call')!;
  const served = `(SELECT if(retry_of = '', call_id, retry_of) FROM actions WHERE call_id = '${id}')`;
  return until(
    () =>
      fleet.query<Attempt>(
        `SELECT * FROM actions WHERE call_id IN ${served} OR retry_of IN ${served} ORDER BY attempt`,
      ),
    (rows) => rows.some(({ call_id }) => call_id === id),
  );
}

/** What differs from one answer to the next whoever gives it. */
const anonymous = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (key, member) =>
      key === 'id' || key === 'created' || key === 'system_fingerprint' ? key : member,
    ),
  );

const overloaded = ({ path }: ReceivedRequest) =>
  path.includes('models') ? undefined : { status: 529, errorType: 'overloaded_error' };

describe('another model serves, and the client cannot tell', () => {
  const openai = (baseURL: string): OpenAI => new OpenAI({ baseURL, apiKey: AGENT_KEY, maxRetries: 0 });
  const chat = {
    messages: MESSAGES,
    max_completion_tokens: 200,
    tools: [{ type: 'function' as const, function: { name: 'weather', parameters: WEATHER } }],
  };

  it('openai, streamed, with a tool', async () => {
    ofSpare = TOOL_CALL;
    fleet.behave(overloaded);
    const collect = async (client: OpenAI, model: string) => {
      const { data, response } = await client.chat.completions
        .create({ ...chat, model, stream: true, stream_options: { include_usage: true } })
        .withResponse();
      const events = [];
      for await (const event of data) events.push(anonymous(event));
      return { events, response };
    };
    const direct = await collect(openai(`${spare.url}/openai/v1`), 'gpt-5-mini');
    const through = await collect(openai(`${fleet.proxy}/openai/v1`), 'gpt-5');
    expect(through.events).toEqual(direct.events);
    expect(JSON.stringify(through.events)).toContain('weather');
    expect(through.response.headers.get('x-outrider-served')).toBe('spare/gpt-5-mini');
    expect(direct.response.headers.get('x-outrider-served')).toBeNull();
    const [first, second] = await attemptsOf(through.response);
    expect(first).toMatchObject({
      attempt: 1,
      target: 'openai/gpt-5',
      status: 'failure',
      http_status: 0,
      retry_of: '',
      asked: '',
    });
    expect(Number(first!.cost_usd)).toBe(0);
    expect(second).toMatchObject({
      attempt: 2,
      target: 'spare/gpt-5-mini',
      model: 'gpt-5-mini',
      status: 'success',
    });
    expect(second).toMatchObject({
      http_status: 200,
      retry_of: first!.call_id,
      asked: 'openai/gpt-5',
      usage_source: 'reported',
    });
  });

  it('@anthropic-ai/sdk, streamed, with a tool', async () => {
    ofSpare = TOOL_CALL;
    fleet.behave(overloaded);
    const collect = async (baseURL: string, model: string) => {
      const client = new Anthropic({ baseURL, apiKey: AGENT_KEY, maxRetries: 0 });
      const stream = client.messages.stream({
        model,
        max_tokens: 300,
        messages: MESSAGES,
        tools: [{ name: 'weather', input_schema: WEATHER }],
      });
      const events: unknown[] = [];
      stream.on('streamEvent', (event) => events.push(anonymous(event)));
      const message = await stream.finalMessage();
      return { events, message: anonymous(message), response: stream.response! };
    };
    const direct = await collect(`${spare.url}/anthropic`, 'claude-haiku-4-5');
    const through = await collect(`${fleet.proxy}/anthropic`, 'claude-opus-4-5');
    expect(through.events).toEqual(direct.events);
    expect(through.message).toEqual(direct.message);
    expect(through.response.headers.get('x-outrider-served')).toBe('spare-anthropic/claude-haiku-4-5');
    expect(await attemptsOf(through.response)).toMatchObject([
      { attempt: 1, target: 'anthropic/claude-opus-4-5', http_status: 0 },
      {
        attempt: 2,
        target: 'spare-anthropic/claude-haiku-4-5',
        asked: 'anthropic/claude-opus-4-5',
        status: 'success',
      },
    ]);
  });

  it('changes the model’s name in the body and nothing else', async () => {
    fleet.behave(overloaded);
    const body =
      '{ "messages":[{"role":"user","content":"Gr\\u00fc\\u00dfe"}],  "model" : "gpt-5", "max_completion_tokens": 20 }';
    const answer = await post('/openai/v1/chat/completions', body);
    expect(answer.status).toBe(200);
    const sent = spare.requests.at(-1)!;
    expect(sent.body.toString()).toBe(body.replace('"gpt-5"', '"gpt-5-mini"'));
    expect(sent.headers.authorization).toContain('real');
  });
});

const post = (path: string, body: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${fleet.proxy}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
const ask = (model: string, headers: Record<string, string> = {}): Promise<Response> =>
  post(
    '/openai/v1/chat/completions',
    JSON.stringify({ model, max_completion_tokens: 20, messages: MESSAGES }),
    headers,
  );

describe('a retry', () => {
  it('of a call that was throttled waits for as long as it is told, and is a record of its own', async () => {
    let tries = 0;
    fleet.behave(() => (tries++ === 0 ? { status: 429, headers: { 'retry-after': '1' } } : undefined));
    const answer = await ask('last');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-outrider-served')).toBeNull();
    const [first, second] = await attemptsOf(answer);
    expect(first).toMatchObject({ status: 'failure', http_status: 0, target: 'openai/last' });
    expect(second).toMatchObject({
      attempt: 2,
      retry_of: first!.call_id,
      asked: '',
      status: 'success',
      http_status: 200,
    });
  });
});

/** Requests that the asked provider got while `act` ran. */
async function received(act: () => Promise<unknown>): Promise<readonly ReceivedRequest[]> {
  const before = fleet.provider.requests.length;
  await act();
  return fleet.provider.requests.slice(before);
}

describe('what is not tried again', () => {
  it('CB-15: a client that retries by itself reaches the provider three times at most, not six', async () => {
    fleet.behave(() => ({ status: 500 }));
    const client = new OpenAI({ baseURL: `${fleet.proxy}/openai/v1`, apiKey: AGENT_KEY });
    const call = client.chat.completions.create({ model: 'last', messages: MESSAGES });
    const seen = await received(() => expect(call).rejects.toMatchObject({ status: 500 }));
    expect(seen.length).toBeLessThanOrEqual(3);
    const counted = seen.map(({ headers }) => headers['x-stainless-retry-count']);
    expect(counted).toEqual(['0', '1', '2'].slice(0, seen.length));
  });

  it('CB-16: a stream that has begun', async () => {
    fleet.behave(() => ({ streamErrorAfterEvents: 3 }));
    const client = new Anthropic({ baseURL: `${fleet.proxy}/anthropic`, apiKey: AGENT_KEY, maxRetries: 0 });
    const stream = client.messages.stream({ model: 'claude-opus-4-5', max_tokens: 300, messages: MESSAGES });
    const seen = await received(() => expect(stream.done()).rejects.toThrow());
    expect(seen).toHaveLength(1);
    expect(await attemptsOf(stream.response!)).toMatchObject([
      { attempt: 1, status: 'failure', http_status: 200 },
    ]);
  });

  it('CB-17: what may have happened, and the agent is told to look', async () => {
    fleet.behave(() => ({ hang: true }));
    let answer: Response | undefined;
    const seen = await received(async () => {
      answer = await post('/search/orders', '{"buy":1}');
    });
    expect(seen).toHaveLength(1);
    expect(answer!.status).toBe(504);
    expect(answer!.headers.get('x-should-retry')).toBe('false');
    expect(await answer!.text()).toContain('look before asking again');
  });

  it('an answer that is the agent’s own', async () => {
    fleet.behave(() => ({ status: 400 }));
    const seen = await received(async () => expect((await ask('gpt-5')).status).toBe(400));
    expect(seen).toHaveLength(1);
  });
});

it('a model whose circuit is open is not asked: its calls go to the fallback at once', async () => {
  fleet.behave(() => ({ status: 500 }));
  for (let i = 0; i < 3; i++)
    expect((await ask('broken')).headers.get('x-outrider-served')).toBe('spare/gpt-5-mini');
  let answer: Response | undefined;
  const seen = await received(async () => {
    answer = await ask('broken');
  });
  expect(seen).toHaveLength(0);
  expect(answer!.status).toBe(200);
  const [first, second] = await attemptsOf(answer!);
  expect(first).toMatchObject({
    status: 'refused',
    refusal: 'circuit_open',
    http_status: 0,
    target: 'openai/broken',
  });
  expect(second).toMatchObject({ status: 'success', asked: 'openai/broken', target: 'spare/gpt-5-mini' });
});

it('sums are exact: what the ledger posted is what all attempts cost', async () => {
  const difference = async (): Promise<bigint[]> => {
    const [row] = await fleet.query<{ total: string }>(
      'SELECT toString(sum(cost_usd)) AS total FROM actions',
    );
    const total = BigInt(Math.round(Number(row!.total) * 1e9));
    const levels = (await fleet.budgets()).filter(({ level }) => level !== 'task');
    return levels.map(({ posted }) => BigInt(posted) - total);
  };
  await expect.poll(difference).toEqual([0n, 0n]);
});
