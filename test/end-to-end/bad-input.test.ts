// What people and broken clients send: each gets a clear error, nothing is lost, nothing crashes.

import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { control, runOutrider, temporaryDirectory, writeConfig } from '../support/processes.ts';
import { type Fleet, SAMPLE, startFleet } from './fleet.ts';

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet();
});
afterAll(async () => {
  expect(await fleet.stop()).toBe(0);
});

const JSON_TYPE = { 'content-type': 'application/json' };
const CHAT = '/openai/v1/chat/completions';
const chat = (
  body: string | Buffer<ArrayBuffer>,
  headers: Record<string, string> = JSON_TYPE,
): Promise<Response> => fetch(fleet.proxy + CHAT, { method: 'POST', headers, body });

/** Bytes as they stand, on a connection of their own; everything that comes back. */
function raw(text: string): Promise<string> {
  const { hostname, port } = new URL(fleet.proxy);
  return new Promise((resolve, reject) => {
    let got = '';
    const socket = connect(Number(port), hostname, () => void socket.write(text));
    socket.setTimeout(5_000, () => socket.destroy());
    socket.on('data', (chunk) => {
      got += String(chunk);
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(got));
  });
}

interface Case {
  readonly name: string;
  readonly send: () => Promise<Response>;
  readonly status: number;
  readonly code: string;
  readonly reason?: string;
}

const VALID = JSON.stringify({ model: 'gpt-5-mini', messages: [] });

const cases: Case[] = [
  {
    name: 'malformed JSON',
    send: () => chat('{"model":'),
    status: 400,
    code: 'bad_request',
    reason: 'malformed_json',
  },
  {
    name: 'two bodies',
    send: () => chat(`${VALID}${VALID}`),
    status: 400,
    code: 'bad_request',
    reason: 'malformed_json',
  },
  {
    name: 'a key twice',
    send: () => chat('{"model":"gpt-5-mini","model":"gpt-5-pro","messages":[]}'),
    status: 400,
    code: 'bad_request',
    reason: 'dup_key',
  },
  { name: 'an array', send: () => chat('[]'), status: 400, code: 'bad_request', reason: 'malformed_json' },
  {
    name: 'a limit that is a string',
    send: () => chat('{"model":"gpt-5-mini","messages":[],"max_completion_tokens":"100"}'),
    status: 400,
    code: 'bad_request',
    reason: 'bad_field',
  },
  {
    name: 'the wrong content type',
    send: () => chat(VALID, { 'content-type': 'text/plain' }),
    status: 400,
    code: 'bad_request',
    reason: 'content_type',
  },
  {
    name: 'a compressed body',
    send: () => chat(VALID, { ...JSON_TYPE, 'content-encoding': 'gzip' }),
    status: 400,
    code: 'bad_request',
    reason: 'content_encoding',
  },
  {
    name: 'an unknown endpoint',
    send: () => fetch(`${fleet.proxy}/openai/v1/fine_tuning/jobs`, { method: 'POST', body: 'x' }),
    status: 403,
    code: 'out_of_scope',
    reason: 'unknown_endpoint',
  },
  {
    name: 'an unknown upstream',
    send: () => fetch(`${fleet.proxy}/nowhere/x`),
    status: 400,
    code: 'bad_request',
    reason: 'unknown_upstream',
  },
  {
    name: 'a hosted tool',
    send: () => chat('{"model":"gpt-5-mini","messages":[],"web_search_options":{}}'),
    status: 403,
    code: 'out_of_scope',
  },
];

describe('a bad request', () => {
  it.each(cases)('$name: $status $code $reason', async ({ send, status, code, reason }) => {
    const response = await send();
    const body = (await response.json()) as { error: { code: string; message: string; reason?: string } };
    expect(response.status).toBe(status);
    expect(response.headers.get('x-outrider-refusal')).toBe(code);
    expect(response.headers.get('x-should-retry')).toBe('false');
    expect(body.error.code).toBe(code);
    if (reason !== undefined) expect(body.error.reason).toBe(reason);
    expect(body.error.message).toMatch(/^\w.{20,}\.$/s);
  });

  it('a body of 50 MB: 413, while it is still being sent', async () => {
    const response = await chat(Buffer.alloc(50 * 1024 * 1024, 'x'));
    expect(response.status).toBe(413);
    expect(((await response.json()) as { error: { code: string } }).error.code).toBe('body_too_large');
    const streamed = await fetch(fleet.proxy + CHAT, {
      method: 'POST',
      headers: JSON_TYPE,
      duplex: 'half',
      body: new ReadableStream({
        pull(controller) {
          controller.enqueue(new Uint8Array(1024 * 1024));
        },
      }),
    } as RequestInit).then(
      (answer) => answer.status,
      () => 'connection closed',
    );
    expect([413, 'connection closed']).toContain(streamed);
  });

  const heads: [name: string, text: string, status: RegExp][] = [
    ['not HTTP', 'hello\r\n\r\n', /^HTTP\/1\.1 400 /],
    [
      'two lengths',
      `POST ${CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}`,
      /^HTTP\/1\.1 400 /,
    ],
    [
      'length and chunked',
      `POST ${CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      /^HTTP\/1\.1 400 /,
    ],
    [
      'two hosts',
      `GET /openai/v1/models HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n`,
      /^HTTP\/1\.1 400 [\s\S]*Host/,
    ],
    [
      'a foreign host',
      `GET /openai/v1/models HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`,
      /^HTTP\/1\.1 400 [\s\S]*localhost/,
    ],
    ['no host', `GET /openai/v1/models HTTP/1.1\r\nConnection: close\r\n\r\n`, /^HTTP\/1\.1 400 /],
    [
      'a length with a leading zero',
      `POST ${CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 010\r\nConnection: close\r\n\r\n{"a":1}xxx`,
      /^HTTP\/1\.1 400 /,
    ],
    [
      'absolute form',
      `GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
      /^HTTP\/1\.1 400 /,
    ],
    [
      'CONNECT to where no rule leads',
      'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n',
      /^HTTP\/1\.1 403 [\s\S]*no_rule_for_host/,
    ],
    [
      'an upgrade',
      `GET /openai/v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
      /^HTTP\/1\.1 400 /,
    ],
    [
      'headers of 20 KB',
      `GET /openai/v1/models HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      /^HTTP\/1\.1 431 /,
    ],
    [
      '2,100 headers hiding a length',
      `POST ${CHAT} HTTP/1.1\r\nHost: localhost\r\n${'a:b\r\n'.repeat(2100)}Content-Length: 4\r\n\r\nabcd`,
      /^HTTP\/1\.1 4\d\d /,
    ],
  ];

  it.each(heads)('%s', async (_, text, status) => {
    const before = fleet.provider.requests.length;
    expect(await raw(text)).toMatch(status);
    expect(fleet.provider.requests).toHaveLength(before);
  });

  it('truncated OTLP: 400 for that request alone', async () => {
    const otlp = fleet.process().listen.collector!.otlp!;
    const response = await fetch(`${otlp}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf' },
      body: Buffer.from([0x0a, 0xff, 0x01, 0x12]),
    });
    expect(response.status).toBe(400);
    const json = await fetch(`${otlp}/v1/traces`, {
      method: 'POST',
      headers: JSON_TYPE,
      body: '{"resourceSpans":[{',
    });
    expect(json.status).toBe(400);
  });

  it('the control API answers nobody without the join token', async () => {
    expect((await fetch(`${fleet.control}/v1/budgets`)).status).toBe(401);
    expect(
      (await fetch(`${fleet.control}/v1/budgets`, { headers: { authorization: 'Bearer nonsense' } })).status,
    ).toBe(401);
    expect(await control<unknown[]>(fleet.control, fleet.directory, '/v1/agents')).toMatchObject([
      { name: 'scout', mode: 'enforce', health: 'ok' },
    ]);
  });

  it('after all of that the next call passes', async () => {
    expect((await chat(VALID)).status).toBe(200);
  });
});

describe('a bad start', () => {
  it('a taken port names the key to change', async () => {
    const directory = temporaryDirectory();
    const taken = new URL(fleet.proxy).port;
    const config = writeConfig(
      directory,
      SAMPLE.replaceAll('{provider}', fleet.provider.url).replace(
        'proxy: 127.0.0.1:0',
        `proxy: 127.0.0.1:${taken}`,
      ),
    );
    const { code, stderr } = await runOutrider([
      'sidecar',
      '--config',
      config,
      '--data',
      join(directory, 'data'),
      '--agent',
      'scout',
    ]);
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`127.0.0.1:${taken} is taken: set .listen.proxy. to another port`));
  });

  it('a config with five mistakes: all five, with line, column and the closest word, exit 78', async () => {
    const directory = temporaryDirectory();
    const yaml = SAMPLE.replaceAll('{provider}', 'http://127.0.0.1:1')
      .replace('mode: enforce', 'mode: enforced')
      .replace('budgets: [$1000/month]', 'budget: [$1000/month]')
      .replace('speaks: openai, credential: openai', 'speaks: openai, credential: openia')
      .replace('from: env:REAL_KEY }\n  anthropic', 'from: sk-literal-0123456789 }\n  anthropic')
      .replace('total: 20s', 'total: 20 parsecs');
    const config = writeConfig(directory, yaml);
    for (const command of [['policy', 'check'], ['up', '--data', directory], ['sidecar'], ['collector']]) {
      const { code, stderr, stdout } = await runOutrider([...command, '--config', config]);
      const lines = (stderr + stdout).split('\n').filter((line) => /outrider\.yaml:\d+:\d+: /.test(line));
      expect(code).toBe(78);
      expect(lines).toHaveLength(5);
      expect(lines.join('\n')).toContain('did you mean "budgets"?');
      expect(lines.join('\n')).toContain('did you mean "openai"?');
      expect(stderr + stdout).not.toContain('sk-literal');
    }
  });

  it('what this release does not enforce is refused at start, with the line to remove', async () => {
    const directory = temporaryDirectory();
    const config = writeConfig(
      directory,
      `${SAMPLE.replaceAll('{provider}', 'http://127.0.0.1:1')}store: { clickhouse: 'vault:stores/clickhouse' }\n`,
    );
    expect((await runOutrider(['policy', 'check', '--config', config])).code).toBe(0);
    const { code, stderr } = await runOutrider(['up', '--config', config, '--data', directory]);
    expect(code).toBe(78);
    expect(stderr).toMatch(/outrider\.yaml:\d+:\d+: secrets from vault: are not enforced yet/);
  });

  it('bad usage is exit 2 and a sentence', async () => {
    for (const args of [['fly'], ['up', '--nonsense'], ['run', '--agent', 'scout'], ['policy', 'explain']]) {
      const { code, stderr } = await runOutrider(args);
      expect(code).toBe(2);
      expect(stderr.trim().length).toBeGreaterThan(10);
    }
  });
});
