// A provider that writes on past what was asked for: the stream is ended where its hold is used up, and the official
// clients read it as an answer that was cut at its limit. One that keeps to its limit is never cut.

import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Action, AGENT_KEY, type Fleet, startFleet } from './fleet.ts';

/** So many that no buffer on the way holds them: who stops reading is noticed. */
const WORDS = Array.from({ length: 30_000 }, (_, at) => `word${at}`).join(' ');
const LIMIT = 100;
const MESSAGES = [{ role: 'user' as const, content: 'Write on and on.' }];

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet();
});
afterAll(async () => {
  expect(await fleet.stop()).toBe(0);
});
beforeEach(() => fleet.behave(() => ({ text: WORDS, ignoresLimit: true })));

const openai = (): OpenAI =>
  new OpenAI({ baseURL: `${fleet.proxy}/openai/v1`, apiKey: AGENT_KEY, maxRetries: 0 });
const anthropic = (): Anthropic =>
  new Anthropic({ baseURL: `${fleet.proxy}/anthropic`, apiKey: AGENT_KEY, maxRetries: 0 });

interface Row extends Action {
  readonly finish: readonly string[];
  readonly held: string;
}

const CUT = { status: 'success', refusal: 'over_budget', http_status: 200, usage_source: 'estimated' };
const REPORTED = { status: 'success', refusal: '', usage_source: 'reported' };
const lastRequest = () => fleet.provider.requests.at(-1)!;

/** What the rows of the calls so far must say; all are read at once, at the end. */
const expected = new Map<string, (row: Row) => void>();
const expectRow = (response: Response, check: (row: Row) => void): void => {
  expected.set(response.headers.get('x-outrider-call')!, check);
};

/** Cut at its hold: so recorded, so paid, and the provider was told to stop. */
async function expectCut(response: Response, reason: string): Promise<void> {
  expect(await lastRequest().ended).toBe(false);
  expectRow(response, (row) => {
    expect(row).toMatchObject(CUT);
    expect(JSON.stringify(row.finish)).toContain(reason);
    expect(BigInt(Math.round(Number(row.cost_usd) * 1e9))).toBe(BigInt(row.held));
    expect(Number(row.tokens_out)).toBeGreaterThan(LIMIT);
    expect(Number(row.tokens_out)).toBeLessThan(LIMIT * 5);
  });
}

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const each of stream) found.push(each);
  return found;
}

describe('a stream that used up its hold', () => {
  it('of chat completions, read raw', async () => {
    const { data, response } = await openai()
      .chat.completions.create({
        model: 'gpt-5-mini',
        messages: MESSAGES,
        max_completion_tokens: LIMIT,
        stream: true,
        stream_options: { include_usage: true },
      })
      .withResponse();
    const chunks = await all(data);
    const text = chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('');
    expect(WORDS.startsWith(text)).toBe(true);
    expect(chunks.filter(({ choices }) => choices[0]?.finish_reason === 'length')).toHaveLength(1);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: expect.any(Number) } });
    await expectCut(response, 'length');
  });

  it('of chat completions, with several choices and usage not asked for', async () => {
    const { data, response } = await openai()
      .chat.completions.create({
        model: 'gpt-5-mini',
        messages: MESSAGES,
        max_completion_tokens: LIMIT / 2,
        n: 2,
        stream: true,
      })
      .withResponse();
    const reasons = new Map<number, string>();
    for await (const { choices, usage } of data) {
      expect(usage ?? null).toBeNull();
      for (const { index, finish_reason } of choices) if (finish_reason) reasons.set(index, finish_reason);
    }
    expect([...reasons]).toContainEqual([0, 'length']);
    await expectCut(response, 'length');
  });

  it('of chat completions, by the stream helper', async () => {
    const stream = openai().chat.completions.stream({
      model: 'gpt-5-mini',
      messages: MESSAGES,
      max_completion_tokens: LIMIT,
    });
    const final = await stream.finalChatCompletion();
    expect(final.choices[0]!.finish_reason).toBe('length');
    expect(WORDS.startsWith(final.choices[0]!.message.content!)).toBe(true);
  });

  it('of chat completions, in the middle of a tool call', async () => {
    const call = { name: 'write', arguments: JSON.stringify({ text: WORDS }) };
    fleet.behave(() => ({ toolCalls: [call], ignoresLimit: true }));
    const { data, response } = await openai()
      .chat.completions.create({
        model: 'gpt-5-mini',
        messages: MESSAGES,
        max_completion_tokens: LIMIT,
        stream: true,
      })
      .withResponse();
    let written = '';
    let reason: string | null = null;
    for await (const { choices } of data) {
      written += choices[0]?.delta.tool_calls?.[0]?.function?.arguments ?? '';
      reason = choices[0]?.finish_reason ?? reason;
    }
    expect(call.arguments.startsWith(written)).toBe(true);
    expect(reason).toBe('length');
    await expectCut(response, 'length');
  });

  it('of completions', async () => {
    const { data, response } = await openai()
      .completions.create({ model: 'gpt-5-mini', prompt: 'Write.', max_tokens: LIMIT, stream: true })
      .withResponse();
    const chunks = await all(data);
    expect(chunks.at(-1)!.choices[0]).toMatchObject({ text: '', finish_reason: 'length' });
    expectRow(response, (row) => expect(row).toMatchObject(CUT));
  });

  it('of responses, read raw and by the stream helper', async () => {
    const { data, response } = await openai()
      .responses.create({ model: 'gpt-5-mini', input: 'Write.', max_output_tokens: LIMIT, stream: true })
      .withResponse();
    const events = await all(data);
    const numbers = events.map(({ sequence_number }) => sequence_number);
    expect(numbers).toEqual(numbers.map((_, at) => at));
    expect(events.slice(-4).map(({ type }) => type)).toEqual([
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.incomplete',
    ]);
    const said = events.flatMap((event) => (event.type === 'response.output_text.delta' ? event.delta : []));
    expect(events.at(-1)).toMatchObject({
      response: {
        id: 'resp_1',
        status: 'incomplete',
        incomplete_details: { reason: 'max_output_tokens' },
        output: [
          { id: 'msg_1', status: 'incomplete', content: [{ type: 'output_text', text: said.join('') }] },
        ],
      },
    });
    await expectCut(response, 'max_output_tokens');

    const helper = openai().responses.stream({
      model: 'gpt-5-mini',
      input: 'Write.',
      max_output_tokens: LIMIT,
    });
    const final = await helper.finalResponse();
    expect(final).toMatchObject({ status: 'incomplete', output_text: said.join('') });
  });

  it('of responses, with what was thought and asked before', async () => {
    const calls = [{ name: 'write', arguments: JSON.stringify({ text: WORDS }) }];
    fleet.behave(() => ({ thinking: 'hm so', text: 'Now then.', toolCalls: calls, ignoresLimit: true }));
    const final = await openai()
      .responses.stream({ model: 'gpt-5-mini', input: 'Write.', max_output_tokens: LIMIT })
      .finalResponse();
    expect(final.output).toMatchObject([
      { type: 'reasoning', summary: [{ text: 'hm so' }] },
      { type: 'message', status: 'completed', content: [{ text: 'Now then.' }] },
      { type: 'function_call', status: 'incomplete', name: 'write' },
    ]);
    const asked = final.output[2] as { arguments: string };
    expect(calls[0]!.arguments.startsWith(asked.arguments)).toBe(true);
    expect(asked.arguments.length).toBeGreaterThan(100);
  });

  it('of messages, read raw', async () => {
    const { data, response } = await anthropic()
      .messages.create({ model: 'claude-haiku-4-5', messages: MESSAGES, max_tokens: LIMIT, stream: true })
      .withResponse();
    const events = await all(data);
    expect(events.slice(-3)).toMatchObject([
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'max_tokens' } },
      { type: 'message_stop' },
    ]);
    await expectCut(response, 'max_tokens');
  });

  it('of messages, by the stream helper, in the middle of a tool call after thinking', async () => {
    const toolCalls = [{ name: 'write', arguments: JSON.stringify({ text: WORDS }) }];
    fleet.behave(() => ({ thinking: 'hm so', text: 'Now then.', toolCalls, ignoresLimit: true }));
    const final = await anthropic()
      .messages.stream({ model: 'claude-haiku-4-5', messages: MESSAGES, max_tokens: LIMIT })
      .finalMessage();
    expect(final.stop_reason).toBe('max_tokens');
    expect(final.content.map(({ type }) => type)).toEqual(['thinking', 'text', 'tool_use']);
  });

  it('is asked for uncompressed, so that it can be cut', async () => {
    await fetch(`${fleet.proxy}/anthropic/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'accept-encoding': 'gzip' },
      body: JSON.stringify({
        model: 'claude-haiku-4-5',
        messages: MESSAGES,
        max_tokens: LIMIT,
        stream: true,
      }),
    }).then((answer) => answer.text());
    expect(lastRequest().headers['accept-encoding']).toBe('identity');
  });
});

describe('what is not cut', () => {
  const body = { model: 'claude-haiku-4-5', messages: MESSAGES, max_tokens: LIMIT };

  it('a stream that keeps to its limit, however long its words', async () => {
    fleet.behave(() => ({ text: 'internationalization '.repeat(LIMIT), usage: { output: LIMIT } }));
    const { data, response } = await openai()
      .chat.completions.create({
        model: 'gpt-5-mini',
        messages: MESSAGES,
        max_completion_tokens: LIMIT * 6,
        stream: true,
      })
      .withResponse();
    await all(data);
    expectRow(response, (row) => expect(row).toMatchObject(REPORTED));
  });

  it('a stream that was over when it said how much it had used: posted as reported', async () => {
    fleet.behave(() => ({ text: 'short', usage: { input: 10, output: LIMIT * 50 } }));
    const { data, response } = await anthropic()
      .messages.create({ ...body, stream: true })
      .withResponse();
    const events = await all(data);
    expect(events.at(-2)).toMatchObject({ delta: { stop_reason: 'end_turn' } });
    expectRow(response, (row) => {
      expect(row).toMatchObject(REPORTED);
      expect(Number(row.tokens_out)).toBe(LIMIT * 50);
    });
  });

  it('a whole answer that overran: posted as reported', async () => {
    const response = await anthropic().messages.create(body).asResponse();
    await response.text();
    expectRow(response, (row) => {
      expect(row).toMatchObject(REPORTED);
      expect(Number(row.tokens_out)).toBeGreaterThan(LIMIT);
    });
  });
});

it('all have the row they must have', async () => {
  const calls = [...expected.keys()];
  await fleet.actions(calls);
  const rows = await fleet.query<Row>(
    `SELECT a.*, s.SpanAttributes['gen_ai.response.finish_reasons'] AS finish,
            s.SpanAttributes['outrider.held.nanodollars'] AS held
       FROM actions AS a JOIN otel_traces AS s ON s.SpanId = a.span_id`,
  );
  expect(calls).toHaveLength(9);
  for (const row of rows) expected.get(row.call_id)?.(row);
});
