// Official clients through the sidecar to a provider that follows the public wire format: what they get is what they
// would have got directly, and what is recorded is exact.

import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Behaviour } from '../../examples/provider/provider.ts';
import { type Action, AGENT_KEY, type Fleet, startFleet } from './fleet.ts';

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet();
});
afterAll(async () => {
  expect(await fleet.stop()).toBe(0);
});

const openai = (): OpenAI =>
  new OpenAI({ baseURL: `${fleet.proxy}/openai/v1`, apiKey: AGENT_KEY, maxRetries: 0 });
const anthropic = (): Anthropic =>
  new Anthropic({ baseURL: `${fleet.proxy}/anthropic`, apiKey: AGENT_KEY, maxRetries: 0 });
const MESSAGES = [{ role: 'user' as const, content: 'Summarise the fleet.' }];
const USAGE = { input: 1000, output: 200, cached: 400 };

const dollars = (cost: Action['cost_usd']): string => Number(cost).toFixed(9);

/** The one row of a call, by the id its answer carried. */
async function rowOf(response: Response): Promise<Action> {
  const id = response.headers.get('x-outrider-call');
  expect(id).toMatch(/^[0-9a-f]{32}$/);
  const found = await fleet.actions([id!]);
  expect(found).toHaveLength(1);
  return found[0]!;
}

describe('tokens and cost are exact to the nanodollar', () => {
  // gpt-5-mini: $0.25 in, $0.025 cached, $2 out per million; claude-haiku-4-5: $1 in, $0.10 cached, $5 out.
  const OPENAI_COST = ((600 * 0.25 + 400 * 0.025 + 200 * 2) / 1e6).toFixed(9);
  const ANTHROPIC_COST = ((600 * 1 + 400 * 0.1 + 200 * 5) / 1e6).toFixed(9);

  beforeAll(() => fleet.behave(() => ({ usage: USAGE })));

  const calls: [name: string, cost: string, call: () => Promise<Response>][] = [
    [
      'chat whole',
      OPENAI_COST,
      () => openai().chat.completions.create({ model: 'gpt-5-mini', messages: MESSAGES }).asResponse(),
    ],
    [
      'chat streamed',
      OPENAI_COST,
      async () => {
        const { data, response } = await openai()
          .chat.completions.create({ model: 'gpt-5-mini', messages: MESSAGES, stream: true })
          .withResponse();
        for await (const chunk of data) expect(chunk.usage ?? null).toBeNull();
        return response;
      },
    ],
    [
      'responses whole',
      OPENAI_COST,
      () => openai().responses.create({ model: 'gpt-5-mini', input: 'hi' }).asResponse(),
    ],
    [
      'responses streamed',
      OPENAI_COST,
      async () => {
        const { data, response } = await openai()
          .responses.create({ model: 'gpt-5-mini', input: 'hi', stream: true })
          .withResponse();
        const types = [];
        for await (const event of data) types.push(event.type);
        expect(types.at(-1)).toBe('response.completed');
        return response;
      },
    ],
    [
      'messages whole',
      ANTHROPIC_COST,
      () =>
        anthropic()
          .messages.create({ model: 'claude-haiku-4-5', max_tokens: 300, messages: MESSAGES })
          .asResponse(),
    ],
    [
      'messages streamed',
      ANTHROPIC_COST,
      async () => {
        const { data, response } = await anthropic()
          .messages.create({ model: 'claude-haiku-4-5', max_tokens: 300, messages: MESSAGES, stream: true })
          .withResponse();
        const types = [];
        for await (const event of data) types.push(event.type);
        expect(types.at(-1)).toBe('message_stop');
        return response;
      },
    ],
  ];

  it.concurrent.each(calls)('%s', async (_, cost, call) => {
    const response = await call();
    if (!response.bodyUsed) await response.text();
    const row = await rowOf(response);
    expect(row).toMatchObject({
      status: 'success',
      verdict: 'allow',
      usage_source: 'reported',
      http_status: 200,
    });
    expect([row.tokens_in, row.tokens_out, row.tokens_cached].map(Number)).toEqual([1000, 200, 400]);
    expect(dollars(row.cost_usd)).toBe(cost);
  });

  it.concurrent('embeddings', async () => {
    const response = await openai()
      .embeddings.create({ model: 'text-embedding-3-small', input: 'hi' })
      .asResponse();
    await response.text();
    const row = await rowOf(response);
    expect(row).toMatchObject({ status: 'success', usage_source: 'reported' });
    expect(dollars(row.cost_usd)).toBe(((1000 * 0.02) / 1e6).toFixed(9));
  });

  it('side endpoints are free and covered by any rule of their upstream', async () => {
    const models = await openai().models.list();
    expect(models.data.map(({ id }) => id)).toEqual(['gpt-5-mini', 'text-embedding-3-small']);
    const counted = await anthropic().messages.countTokens({ model: 'claude-haiku-4-5', messages: MESSAGES });
    expect(counted.input_tokens).toBeGreaterThan(0);
  });

  it('posts the sum at every level, and nothing stays held', async () => {
    const [{ total }] = (await fleet.query<{ total: string }>(
      'SELECT toString(sum(cost_usd)) AS total FROM actions',
    )) as [{ total: string }];
    const nanodollars = BigInt(Math.round(Number(total) * 1e9));
    await expect
      .poll(async () =>
        (await fleet.budgets()).filter(({ level }) => level !== 'task').map(({ posted }) => BigInt(posted)),
      )
      .toEqual([nanodollars, nanodollars, nanodollars]);
  });
});

describe('every ending has its row', () => {
  const chat = (signal?: AbortSignal): Promise<Response> =>
    fetch(`${fleet.proxy}/openai/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${AGENT_KEY}` },
      body: JSON.stringify({ model: 'gpt-5-mini', messages: MESSAGES, max_completion_tokens: 100 }),
      ...(signal ? { signal } : {}),
    });

  const answered: [name: string, behaviour: Behaviour, row: Partial<Action>][] = [
    ['upstream 400', { status: 400 }, { status: 'failure', http_status: 400 }],
    ['upstream 429', { status: 429 }, { status: 'failure', http_status: 429 }],
    ['upstream 500', { status: 500 }, { status: 'failure', http_status: 500 }],
    ['upstream 529', { status: 529 }, { status: 'failure', http_status: 529 }],
    [
      'usage left out',
      { withoutUsage: true },
      { status: 'success', http_status: 200, usage_source: 'estimated' },
    ],
    [
      'no answer in time',
      { hang: true },
      { status: 'timeout', http_status: 504, refusal: 'upstream_timeout' },
    ],
    [
      'connection closed without an answer',
      { hangUpAfterBytes: 0 },
      { status: 'failure', http_status: 502, refusal: 'upstream_unreachable' },
    ],
  ];

  /** All are called before any is asked for: rows come a second or two after their calls. */
  const responses = new Map<string, Response>();
  beforeAll(async () => {
    for (const [name, behaviour] of answered) {
      fleet.behave(() => behaviour);
      const response = await chat();
      await response.text();
      responses.set(name, response);
    }
  });

  it.each(answered)('%s', async (name, _, row) => {
    expect(await rowOf(responses.get(name)!)).toMatchObject(row);
  });

  it('an answer with 4xx or 5xx costs nothing, a lost one its hold', async () => {
    const found = await fleet.query<Action>(
      'SELECT * FROM actions WHERE http_status IN (400, 429, 500, 529, 504, 502)',
    );
    for (const { http_status, cost_usd } of found) {
      if (http_status === 504 || http_status === 502) expect(Number(cost_usd)).toBeGreaterThan(0);
      else expect(Number(cost_usd)).toBe(0);
    }
  });

  it('refused by a rule, needing approval', async () => {
    const refused = await fetch(`${fleet.proxy}/openai/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'o1', messages: MESSAGES }),
    });
    expect(await rowOf(refused)).toMatchObject({
      status: 'refused',
      refusal: 'out_of_scope',
      verdict: 'deny',
      http_status: 403,
    });
    const asked = await openai()
      .chat.completions.create({ model: 'gpt-5-pro', messages: MESSAGES })
      .asResponse()
      .catch((failure: InstanceType<typeof OpenAI.APIError>) => failure);
    expect(asked).toMatchObject({ status: 403, code: 'approval_needed' });
  });

  const hungUp = async (httpStatus: number): Promise<Action> => {
    const find = (): Promise<Action[]> =>
      fleet.query<Action>(
        `SELECT * FROM actions WHERE status = 'failure' AND http_status = ${httpStatus} AND usage_source = 'estimated' LIMIT 1`,
      );
    let found: Action[] = [];
    await expect
      .poll(async () => {
        found = await find();
        return found.length;
      })
      .toBe(1);
    return found[0]!;
  };

  it('hung up before byte one: the upstream call is aborted, the input is paid', async () => {
    fleet.behave(() => ({ firstByteMs: 30_000 }));
    const before = fleet.provider.requests.length;
    const controller = new AbortController();
    const call = chat(controller.signal);
    await expect.poll(() => fleet.provider.requests.length).toBe(before + 1);
    controller.abort();
    await expect(call).rejects.toThrow();
    expect(await fleet.provider.requests[before]!.ended).toBe(false);
    const row = await hungUp(0);
    expect(row).toMatchObject({ http_status: 0, usage_source: 'estimated' });
    expect(Number(row.cost_usd)).toBeGreaterThan(0);
  });

  it('SSE-06: hung up in the middle of a stream: aborted long before its end, what was seen is paid', async () => {
    fleet.behave(() => ({ betweenEventsMs: 1_000 }));
    const before = fleet.provider.requests.length;
    const stream = await openai().chat.completions.create({
      model: 'gpt-5-mini',
      messages: MESSAGES,
      stream: true,
    });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
    stream.controller.abort();
    expect(await fleet.provider.requests[before]!.ended).toBe(false);
    const row = await hungUp(200);
    expect(row).toMatchObject({ http_status: 200, usage_source: 'estimated', status: 'failure' });
    expect(Number(row.tokens_out)).toBeGreaterThan(0);
  });

  it('SSE-06: closed by its agent when the stream had said that it was over: answered, as reported', async () => {
    fleet.behave(() => ({ staysOpen: true }));
    const controller = new AbortController();
    const answer = await fetch(`${fleet.proxy}/openai/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-5-mini', messages: MESSAGES, stream: true }),
      signal: controller.signal,
    });
    let text = '';
    for await (const bytes of answer.body!.pipeThrough(new TextDecoderStream())) {
      text += bytes;
      if (text.includes('[DONE]')) break;
    }
    controller.abort();
    expect(await rowOf(answer)).toMatchObject({ status: 'success', usage_source: 'reported', refusal: '' });
  });

  it('SSE-09: an error inside a stream is a failure though the status was 200', async () => {
    fleet.behave(() => ({ streamErrorAfterEvents: 4 }));
    const { data, response } = await anthropic()
      .messages.create({ model: 'claude-haiku-4-5', max_tokens: 300, messages: MESSAGES, stream: true })
      .withResponse();
    await expect(
      (async () => {
        for await (const event of data) expect(event).toBeDefined();
      })(),
    ).rejects.toThrow();
    expect(await rowOf(response)).toMatchObject({ status: 'failure', http_status: 200 });
  });
});

describe('the bytes are the provider’s own', () => {
  const request = (base: string, body: object): Promise<Response> =>
    fetch(base, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'anthropic-version': '2023-06-01',
        'accept-encoding': 'identity',
      },
      body: JSON.stringify(body),
    });
  const both = async (path: string, body: object): Promise<[direct: Buffer, through: Buffer]> => {
    const direct = await request(`${fleet.provider.url}${path}`, body);
    const through = await request(`${fleet.proxy}${path}`, body);
    expect(through.status).toBe(direct.status);
    return [Buffer.from(await direct.arrayBuffer()), Buffer.from(await through.arrayBuffer())];
  };

  const shapes: [name: string, path: string, body: object][] = [
    [
      'chat',
      '/openai/v1/chat/completions',
      { model: 'gpt-5-mini', max_completion_tokens: 50, messages: MESSAGES },
    ],
    [
      'chat streamed, usage asked for',
      '/openai/v1/chat/completions',
      {
        model: 'gpt-5-mini',
        max_completion_tokens: 50,
        messages: MESSAGES,
        stream: true,
        stream_options: { include_usage: true },
      },
    ],
    ['responses', '/openai/v1/responses', { model: 'gpt-5-mini', max_output_tokens: 50, input: 'hi' }],
    [
      'responses streamed',
      '/openai/v1/responses',
      { model: 'gpt-5-mini', max_output_tokens: 50, input: 'hi', stream: true },
    ],
    ['messages', '/anthropic/v1/messages', { model: 'claude-haiku-4-5', max_tokens: 50, messages: MESSAGES }],
    [
      'messages streamed',
      '/anthropic/v1/messages',
      { model: 'claude-haiku-4-5', max_tokens: 50, messages: MESSAGES, stream: true },
    ],
  ];

  it.each(shapes)('%s', async (_, path, body) => {
    fleet.behave(() => ({ usage: USAGE }));
    const [direct, through] = await both(path, body);
    expect(through.equals(direct)).toBe(true);
  });

  it('a stream whose usage only we asked for, at every split: all but the usage chunk', async () => {
    const body = { model: 'gpt-5-mini', max_completion_tokens: 50, messages: MESSAGES, stream: true };
    const text = 'Grüße 🌍 ok';
    fleet.behave(() => ({ usage: USAGE, text }));
    const asked = await request(`${fleet.provider.url}/openai/v1/chat/completions`, {
      ...body,
      stream_options: { include_usage: true },
    });
    const whole = await asked.text();
    const expected = whole
      .split(/(?<=\n\n)/)
      .filter((event) => !event.includes('"choices":[]'))
      .join('');
    expect(expected.length).toBeLessThan(whole.length);
    const half = Math.ceil(Buffer.byteLength(whole) / 2); // two of the places in one answer
    let next = 1;
    fleet.behave(() => ({ usage: USAGE, text, splitAt: [next, half + next++] }));
    const worker = async (): Promise<void> => {
      while (next <= half) {
        const answer = await request(`${fleet.proxy}/openai/v1/chat/completions`, body);
        expect(await answer.text()).toBe(expected);
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
  });
});
