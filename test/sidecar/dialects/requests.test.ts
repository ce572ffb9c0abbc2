// Requests as data: paths that are an endpoint or none, bodies that must be refused. test/cases/dialect-*.jsonl.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Refusal } from '../../../contract/refusals.ts';
import { parseStrict } from '../../../kit/strict-json.ts';
import { anthropic } from '../../../sidecar/dialects/anthropic.ts';
import { bedrock } from '../../../sidecar/dialects/bedrock.ts';
import type { Dialect, JsonObject, RequestHead } from '../../../sidecar/dialects/dialect.ts';
import { gemini } from '../../../sidecar/dialects/gemini.ts';
import { http } from '../../../sidecar/dialects/http.ts';
import { mcp } from '../../../sidecar/dialects/mcp.ts';
import { openai } from '../../../sidecar/dialects/openai.ts';
import { upstreamOf } from '../state/prices-calls.ts';

const DIALECTS: Readonly<Record<string, Dialect>> = { openai, anthropic, gemini, bedrock, mcp, http };

function cases<T>(name: string): T[] {
  const url = new URL(`../../cases/${name}`, import.meta.url);
  return readFileSync(url, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

const headOf = (request: string): RequestHead => {
  const [method = '', url = ''] = request.split(' ');
  const [path = '', query] = url.split('?');
  return { method, path, query: query === undefined ? '' : `?${query}`, headers: {} };
};

interface PathCase {
  readonly dialect: string;
  readonly request: string;
  readonly endpoint: string | null;
  /** What the refusal of a path we know and keep shut says; null where nothing is known of it. */
  readonly closed?: string | null;
}

interface BodyCase {
  readonly id: string;
  readonly path: string;
  readonly body: string;
  readonly reason: string;
  readonly field: string;
}

describe('recognise', () => {
  it.each(cases<PathCase>('dialect-paths.jsonl'))(
    '$dialect: $request is $endpoint',
    ({ dialect, request, endpoint, closed }) => {
      expect(DIALECTS[dialect]!.recognise(headOf(request))?.name ?? null).toBe(endpoint);
      const why = DIALECTS[dialect]!.whyClosed?.(headOf(request));
      if (closed === null) expect(why).toBeNull();
      else if (closed !== undefined) expect(why).toContain(closed);
    },
  );

  it('takes no time over a long path', () => {
    const path = `${'/a'.repeat(50_000)}/v1/chat/completions`;
    expect(openai.recognise({ ...headOf('POST /'), path })).toBeUndefined();
    expect(anthropic.recognise({ ...headOf('POST /'), path })).toBeUndefined();
    expect(gemini.recognise({ ...headOf('POST /'), path })).toBeUndefined();
    expect(bedrock.recognise({ ...headOf('POST /'), path })).toBeUndefined();
  });
});

function describeBody(path: string, body: string) {
  const dialect = /\/models\/[^/]+:/.test(path)
    ? gemini
    : path.startsWith('/model/')
      ? bedrock
      : path === '/v1/messages'
        ? anthropic
        : openai;
  const head = headOf(`POST ${path}`);
  const json = parseStrict(Buffer.from(body)) as JsonObject;
  return dialect.describe(dialect.recognise(head)!, head, json, Buffer.from(body));
}

describe('describe', () => {
  it.each(cases<BodyCase>('dialect-bodies.jsonl'))('refuses: $id', ({ path, body, reason, field }) => {
    try {
      describeBody(path, body);
    } catch (error) {
      expect(error).toBeInstanceOf(Refusal);
      expect(error).toMatchObject({ code: 'bad_request', detail: { reason, facts: { field } } });
      return;
    }
    expect.fail('was accepted');
  });

  const chat = (fields: object) =>
    describeBody('/v1/chat/completions', JSON.stringify({ model: 'm', messages: [], ...fields }));

  it('takes the larger of two limits, and null for none', () => {
    expect(chat({ max_tokens: 5, max_completion_tokens: 9 }).outputTokensMax).toBe(9);
    expect(chat({ max_tokens: 9, max_completion_tokens: 5 }).outputTokensMax).toBe(9);
    expect(chat({ max_tokens: null, max_completion_tokens: 5 }).outputTokensMax).toBe(5);
    expect(chat({ max_tokens: null }).outputTokensMax).toBeNull();
  });

  it.each([{ extra_body: { google: { cached_content: 'cachedContents/x' } } }, { plugins: [{ id: 'web' }] }])(
    'bounds by the window what brings input from elsewhere: %o',
    (fields) => {
      expect(chat(fields).inputTokensMax).toBe('context_window');
    },
  );

  it('treats null as absent, and unknown fields as none of its business', () => {
    const fields = {
      n: null,
      stream: null,
      stream_options: null,
      tools: null,
      service_tier: null,
      Anything: 1,
    };
    expect(chat(fields)).toMatchObject({ choices: 1, stream: false, toolsOffered: [], serviceTier: null });
  });

  it.each([
    ['auto', null],
    ['default', null],
    ['flex', 'flex'],
    ['priority', 'priority'],
  ])('names the tier %s as %s', (asked, tier) => {
    expect(chat({ service_tier: asked }).serviceTier).toBe(tier);
  });

  it.each([
    { modalities: ['text', 'audio'], audio: { voice: 'x', format: 'wav' } },
    {
      messages: [
        { role: 'user', content: [{ type: 'input_audio', input_audio: { data: 'x', format: 'wav' } }] },
      ],
    },
  ])('cannot meter sound', (fields) => {
    expect(chat(fields).unmeterable).toContain('audio');
  });

  it('bounds an input by the bytes of its body, whatever the text', () => {
    for (const text of ['plain', '日本語 🏔️', '\u0000\\"\n', 'é'.repeat(1000)]) {
      const { inputTokensMax } = chat({ messages: [{ role: 'user', content: text }] });
      expect(inputTokensMax).toBeGreaterThanOrEqual(Buffer.byteLength(text));
    }
  });

  it('never lets pictures pull the bound below their own constant', () => {
    const picture = (data: string) => ({
      type: 'image_url',
      image_url: { url: `data:image/png;base64,${data}` },
    });
    const one = chat({ messages: [{ role: 'user', content: [picture('A'.repeat(100))] }] });
    const huge = chat({ messages: [{ role: 'user', content: [picture('A'.repeat(1_000_000))] }] });
    expect(huge.inputTokensMax).toBe(one.inputTokensMax);
    expect(one.inputTokensMax).toBeGreaterThan(24_600);
    const foreign = chat({ messages: [{ role: 'user', content: [picture('é'.repeat(100_000))] }] });
    expect(foreign.inputTokensMax).toBeGreaterThan(200_000);
  });
});

describe('where Google takes a credential', () => {
  it.each([
    ['https://generativelanguage.googleapis.com', ['x-goog-api-key', 's3cret']],
    ['https://us-central1-aiplatform.googleapis.com', ['authorization', 'Bearer s3cret']],
    ['https://aiplatform.googleapis.com/v1', ['authorization', 'Bearer s3cret']],
    ['https://aiplatform.googleapis.com.evil.example', ['x-goog-api-key', 's3cret']],
  ])('%s', (url, header) => {
    expect(gemini.credentialHeader('s3cret', upstreamOf({ url }))).toEqual(header);
  });
});
