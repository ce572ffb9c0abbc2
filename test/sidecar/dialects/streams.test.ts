// Streams as data, test/cases/streams.jsonl: what their meters say of them is the same at every split of their bytes, and
// every byte goes on as it came.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { anthropic } from '../../../sidecar/dialects/anthropic.ts';
import type { Description, Dialect, JsonObject } from '../../../sidecar/dialects/dialect.ts';
import type { Metered, Usage } from '../../../sidecar/dialects/metered.ts';
import { openai } from '../../../sidecar/dialects/openai.ts';

interface StreamCase {
  readonly id: string;
  readonly api: 'openai' | 'anthropic';
  readonly stream: string;
  /** Null where nothing may be believed. */
  readonly usage: Partial<Usage> | null;
  readonly complete?: boolean;
  readonly error?: string;
  /** Its head said that it is JSON. */
  readonly whole?: boolean;
}

const CASES = readFileSync(new URL('../../cases/streams.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as StreamCase);

const ASKED = { model: 'm', messages: [], stream: true, max_tokens: 9 };
const APIS = {
  openai: described(openai, '/v1/chat/completions'),
  anthropic: described(anthropic, '/v1/messages'),
};

function described(dialect: Dialect, path: string): { dialect: Dialect; description: Description } {
  const head = { method: 'POST', path, query: '', headers: {} };
  const body: JsonObject = ASKED;
  const bytes = Buffer.from(JSON.stringify(body));
  return { dialect, description: dialect.describe(dialect.recognise(head)!, head, body, bytes) };
}

function metered({ api, whole }: StreamCase, chunks: readonly Buffer[]): Metered {
  const { dialect, description } = APIS[api];
  if (whole) return dialect.meterWhole(description, Buffer.concat(chunks), true);
  const meter = dialect.meterStream(description, { dropUsageChunk: false });
  for (const chunk of chunks) if (meter.push(chunk) !== chunk) expect.fail('other bytes went on');
  expect(meter.flush()).toHaveLength(0);
  return meter.metered();
}

describe('a stream', () => {
  it.each(CASES)('$id', (each) => {
    const { stream, usage, complete, error = null } = each;
    const bytes = Buffer.from(stream);
    const all = metered(each, [bytes]);
    if (usage === null) expect(all.usage).toBeNull();
    else expect(all.usage).toMatchObject(usage);
    if (complete !== undefined) expect(all.complete).toBe(complete);
    expect(all.errorType).toBe(error);
    for (let at = 1; at < bytes.length; at++) {
      const halves = [bytes.subarray(0, at), Buffer.alloc(0), bytes.subarray(at)];
      if (JSON.stringify(metered(each, halves)) !== JSON.stringify(all)) expect.fail(`split at ${at}`);
    }
    const single = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
    expect(metered(each, single)).toEqual(all);
  });
});
