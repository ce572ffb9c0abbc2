// Canaries are planted in every place a secret could stand; then everything that was written is searched for them.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AGENT_KEY, type Fleet, REAL_KEY, startFleet } from './fleet.ts';

let fleet: Fleet;
let stopped = false;
beforeAll(async () => {
  fleet = await startFleet();
});
afterAll(async () => {
  if (!stopped) await fleet.stop();
});

const call = (
  path: string,
  headers: Record<string, string> = {},
  init: RequestInit = {},
): Promise<Response> =>
  fetch(fleet.proxy + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({
      model: 'gpt-5-mini',
      max_completion_tokens: 10,
      messages: [{ role: 'user', content: 'hi' }],
    }),
    ...init,
  });

const EVERY_PLACE = {
  authorization: `Bearer ${AGENT_KEY}`,
  'proxy-authorization': `Bearer ${AGENT_KEY}`,
  'x-api-key': AGENT_KEY,
  'api-key': AGENT_KEY,
  'x-goog-api-key': AGENT_KEY,
  cookie: `session=${AGENT_KEY}`,
  'x-outrider-token': AGENT_KEY,
  'x-outrider-agent': AGENT_KEY,
};

function filesUnder(directory: string): string[] {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    return statSync(path).isDirectory() ? filesUnder(path) : [path];
  });
}

describe('credentials', () => {
  it('whatever the agent sent in a credential’s place is gone, ours is there exactly once', async () => {
    await call(`/openai/v1/chat/completions?api_key=${AGENT_KEY}`, EVERY_PLACE);
    await call(
      '/anthropic/v1/messages',
      { ...EVERY_PLACE, 'anthropic-version': '2023-06-01' },
      {
        body: JSON.stringify({
          model: 'claude-haiku-4-5',
          max_tokens: 10,
          messages: [{ role: 'user', content: 'hi' }],
        }),
      },
    );
    await fetch(`${fleet.proxy}/search/items?key=${AGENT_KEY}`, { headers: EVERY_PLACE });
    expect(fleet.provider.requests).toHaveLength(3);
    for (const { rawHeaders, url, body } of fleet.provider.requests) {
      const text = rawHeaders.join('\n') + url + body.toString();
      expect(text).not.toContain(AGENT_KEY);
      expect(text.split(REAL_KEY)).toHaveLength(2);
    }
    expect(
      fleet.provider.requests.map(
        ({ headers }) => headers.authorization ?? headers['x-api-key'] ?? headers['x-search-key'],
      ),
    ).toEqual([`Bearer ${REAL_KEY}`, REAL_KEY, REAL_KEY]);
  });

  it('an upstream that hands the secret back is cut off: in a header, in a body, split over chunks', async () => {
    fleet.behave(() => ({ headers: { 'x-echo': `you sent ${REAL_KEY}` } }));
    const inHeader = await call('/openai/v1/chat/completions');
    expect(inHeader.status).toBe(502);
    expect(await inHeader.text()).not.toContain(REAL_KEY);
    fleet.behave(() => ({ text: `your key is ${REAL_KEY}.` }));
    await expect(call('/openai/v1/chat/completions').then((answer) => answer.text())).rejects.toThrow();
    const raw = { contentType: 'text/event-stream', body: `data: {"x":"${REAL_KEY}"}\n\n` };
    for (let at = 12; at < 12 + REAL_KEY.length; at += 3) {
      fleet.behave(() => ({ raw, splitAt: [at] }));
      const got = await call('/openai/v1/chat/completions')
        .then((answer) => answer.text())
        .catch(() => 'cut off');
      expect(got).not.toContain(REAL_KEY);
    }
  });

  it('stands nowhere: not in an answer, a row, an error, a log line, a metric, a file', async () => {
    fleet.behave(() => ({ hangUpAfterBytes: 0 }));
    const answers = [
      await call('/openai/v1/chat/completions', EVERY_PLACE),
      await call('/openai/v1/unknown', EVERY_PLACE),
      await call('/nowhere/v1', EVERY_PLACE),
      await call('/openai/v1/chat/completions', EVERY_PLACE, { body: `{"broken ${AGENT_KEY}` }),
      await fetch(`${fleet.admin}/metrics`),
      await fetch(`${fleet.admin}/readyz`),
      await fetch(`${fleet.admin}/v1/budget`),
    ];
    for (const answer of answers) {
      const text = (await answer.text()) + JSON.stringify([...answer.headers]);
      expect(text).not.toContain(REAL_KEY);
      expect(text).not.toContain(AGENT_KEY);
    }
    await expect
      .poll(async () => (await fleet.query('SELECT call_id FROM actions')).length)
      .toBeGreaterThanOrEqual(8);
    for (const table of ['actions', 'otel_traces', 'tool_requests']) {
      const text = JSON.stringify(await fleet.query(`SELECT * FROM ${table}`));
      expect(text).not.toContain(REAL_KEY);
      expect(text).not.toContain(AGENT_KEY);
    }
    expect(await fleet.stop()).toBe(0);
    stopped = true;
    expect(fleet.output()).not.toContain(REAL_KEY);
    expect(fleet.output()).not.toContain(AGENT_KEY);
    const files = filesUnder(fleet.directory);
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) {
      const bytes = readFileSync(file);
      expect(bytes.includes(REAL_KEY), file).toBe(false);
      expect(bytes.includes(AGENT_KEY), file).toBe(false);
    }
  });
});
