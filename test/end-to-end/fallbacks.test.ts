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
prices: { openai/last: { input: 1, output: 1, max_output: 1000 } }
timeouts: { connect: 2s, first_byte: 1s, idle: 2s, total: 20s }
retries: { wait: 2s }
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
