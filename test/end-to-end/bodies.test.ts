// Bodies as data, test/cases/bodies.jsonl: each is refused, or reaches the provider byte for byte as it was judged. What
// the provider received is the judge. A case's `instead` says where our answer is another than one might expect.

import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fleet, SAMPLE, startFleet } from './fleet.ts';

interface Case {
  readonly id: string;
  /** Method and path; else a chat call. */
  readonly request?: string;
  /** Flat list of names and values, as they go. */
  readonly headers: readonly string[];
  readonly body?: string;
  readonly base64?: string;
  /** Joined: a text so many times, or `count` keys `"0":0,"1":0,…`. */
  readonly parts?: readonly { readonly text?: string; readonly times?: number; readonly count?: number }[];
  /** Why it is refused; without it or `code`, it passes. */
  readonly reason?: string;
  readonly code?: string;
  readonly status?: number;
  /** What the provider must get where that is not the body itself. */
  readonly origin?: string;
  readonly instead?: string;
}

const CASES = readFileSync(new URL('../cases/bodies.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Case);

const LIMITS = `limits: { body: 16MB }\nlisten:`;
const MEMORY_MAX = 64 * 1024 * 1024;

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet(SAMPLE.replace('listen:', LIMITS));
});
afterAll(async () => {
  expect(await fleet.stop()).toBe(0);
});

function bytesOf({ body, base64, parts }: Case): Buffer {
  if (base64 !== undefined) return Buffer.from(base64, 'base64');
  const texts = (parts ?? []).map(({ text = '', times = 1, count }) =>
    count === undefined
      ? text.repeat(times)
      : Array.from({ length: count }, (_, at) => `"${at}":0,`).join(''),
  );
  return Buffer.from(body ?? texts.join(''));
}

interface Got {
  readonly status: number;
  readonly code: string;
  readonly reason: string;
}

function send(
  { request: line = 'POST /openai/v1/chat/completions', headers }: Case,
  body: Buffer,
): Promise<Got> {
  const { hostname, port } = new URL(fleet.proxy);
  const [method, path] = line.split(' ');
  const all = [
    'host',
    `${hostname}:${port}`,
    'connection',
    'close',
    'content-length',
    String(body.length),
    ...headers,
  ];
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, method, path, headers: all, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += String(chunk);
      });
      response.on('end', () => {
        const code = String(response.headers['x-outrider-refusal'] ?? '');
        const { error } = JSON.parse(text) as { error?: { reason?: string } };
        resolve({ status: response.statusCode!, code, reason: error?.reason ?? '' });
      });
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

/** Of the sidecar and collector together, in bytes. */
async function residentBytes(): Promise<number> {
  const text = await (await fetch(`${fleet.admin}/metrics`)).text();
  return Number(/^process_resident_memory_bytes(?:\{[^}]*\})? (\S+)$/m.exec(text)![1]);
}

describe('a body', () => {
  it.each(CASES.map((each) => [each.id, each] as const))('%s', async (_, each) => {
    const body = bytesOf(each);
    const before = fleet.provider.requests.length;
    const got = await send(each, body);
    const reached = fleet.provider.requests.slice(before);
    if (each.reason === undefined && each.code === undefined) {
      expect(got).toEqual({ status: 200, code: '', reason: '' });
      expect(reached).toHaveLength(1);
      if (each.origin !== undefined) expect(reached[0]!.body.toString()).toBe(each.origin);
      else expectReceived(reached[0]!.body.toString(), body.toString());
      return;
    }
    expect(got).toEqual({
      status: each.status ?? 400,
      code: each.code ?? 'bad_request',
      reason: each.reason ?? '',
    });
    expect(reached).toHaveLength(0);
  });

  it('leaves no memory behind', async () => {
    const before = await residentBytes();
    for (const id of ['BODY-09 ten million digits', 'DOS-10', 'DOS-11']) {
      const each = CASES.find((one) => one.id === id)!;
      for (let round = 0; round < 3; round++) await send(each, bytesOf(each));
    }
    expect((await residentBytes()) - before).toBeLessThan(MEMORY_MAX);
  });
});

/** As sent, but for the limit that was written in where the request named none. */
function expectReceived(received: string, sent: string): void {
  expect(received.replace(/,?"max_completion_tokens":16384,?/, '')).toBe(
    sent.replace(/,?"max_completion_tokens":16384,?/, ''),
  );
}
