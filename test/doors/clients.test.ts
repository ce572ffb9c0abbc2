// What people point here, unmodified: curl, Node's own fetch, undici and OpenAI's SDK, by proxy and through TLS.

import { join } from 'node:path';
import OpenAI from 'openai';
import { fetch as fetchBy, ProxyAgent } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventStream, type Received, type Reply } from '../sdk/double.ts';
import { REAL_KEY, type Setting, startSetting } from '../sdk/setting.ts';
import { runProgram } from '../support/processes.ts';
import { localAuthority } from './wire.ts';

const CONFIG = `fleet: clients
mode: enforce
budgets: [$1000/month]
upstreams:
  openai-tls: { url: "{tls}/openai-tls", speaks: openai, priced_as: openai, credential: real }
  web: { url: "{plain}/web", speaks: http, credential: real }
  web-tls: { url: "{tls}/web", speaks: http, credential: real }
credentials: { real: { from: env:REAL_KEY } }
roles:
  r:
    allow:
      - llm openai-tls/gpt-5-mini
      - http GET {plain}/web/**
      - http GET {tls}/web/**
agents: { scout: { role: r, budgets: [$500/month] } }
timeouts: { connect: 30s }
`;

const CHUNK = { id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'gpt-5-mini' };
const USAGE = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };

function answer({ url }: Received): Reply {
  if (!url.includes('/chat/completions')) return { body: { url } };
  return eventStream([
    ...['Hel', 'lo'].map((content) => ({ ...CHUNK, choices: [{ index: 0, delta: { content } }] })),
    { ...CHUNK, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
    { ...CHUNK, choices: [], usage: USAGE },
    '[DONE]',
  ]);
}

let setting: Setting;
let authority: string;
let authorityFile: string;
beforeAll(async () => {
  setting = await startSetting(CONFIG);
  setting.double.answer(answer);
  authority = await localAuthority(setting);
  authorityFile = join(setting.dataDirectory, 'ca', 'ca.pem');
});
afterAll(() => setting.stop());

const curl = (...args: string[]) =>
  runProgram('curl', ['-sS', '-m', '10', '--noproxy', '', '-x', setting.proxy, ...args], { ...process.env });

describe('curl', () => {
  it('by the forward door: the upstream is found by its url, the credential is put in', async () => {
    const { stdout, code } = await curl('-i', `${setting.double.plainUrl}/web/x?y=1`);
    expect([code, stdout.slice(0, 15)]).toEqual([0, 'HTTP/1.1 200 OK']);
    expect(setting.double.received.at(-1)).toMatchObject({ url: '/web/x?y=1', encrypted: false });
    expect(setting.double.received.at(-1)!.headers.authorization).toBe(`Bearer ${REAL_KEY}`);
    const call = /x-outrider-call: (\w+)/.exec(stdout)![1]!;
    expect(await setting.rowOf({ headers: new Headers({ 'x-outrider-call': call }) })).toMatchObject({
      status: 'success',
      target: `GET ${setting.double.plainUrl}/web/x`,
      upstream: 'web',
      action_type: 'api_call',
      credential: 'real',
    });
  });

  it('through TLS that is looked into', async () => {
    const { stdout, code } = await curl(
      '-i',
      '--cacert',
      authorityFile,
      `${setting.double.tlsUrl}/web/secret`,
    );
    expect([code, stdout]).toEqual([0, expect.stringContaining('{"url":"/web/secret"}')]);
    expect(setting.double.received.at(-1)).toMatchObject({ url: '/web/secret', encrypted: true });
    const call = /x-outrider-call: (\w+)/.exec(stdout)![1]!;
    expect(await setting.rowOf({ headers: new Headers({ 'x-outrider-call': call }) })).toMatchObject({
      status: 'success',
      target: `GET ${setting.double.tlsUrl}/web/secret`,
      upstream: 'web-tls',
      credential: 'real',
    });
  });

  it('a url that no rule allows, within TLS: 403, nothing sent', async () => {
    const before = setting.double.received.length;
    const { stdout } = await curl('-i', '--cacert', authorityFile, `${setting.double.tlsUrl}/other`);
    expect(stdout).toMatch(/HTTP\/1\.1 403 Forbidden[\s\S]*x-outrider-refusal: out_of_scope/);
    expect(setting.double.received).toHaveLength(before);
  });

  it('a host of which no rule could open anything: the CONNECT says so', async () => {
    const { stdout, stderr, code } = await curl('-i', 'https://example.com/');
    expect(stdout).toMatch(/^HTTP\/1\.1 403 Forbidden[\s\S]*x-outrider-refusal: out_of_scope/);
    expect(stderr).toContain('403');
    expect(code).not.toBe(0);
  });

  it('100-continue with a body', async () => {
    const { stdout } = await curl(
      ...['-i', '--cacert', authorityFile, '-H', 'Expect: 100-continue', '-d', '{}'],
      `${setting.double.tlsUrl}/openai-tls/v1/nowhere`,
    );
    expect(stdout).toMatch(/HTTP\/1\.1 403 Forbidden[\s\S]*unknown_endpoint/);
    expect(stdout).not.toContain('100 Continue');
  });
});

describe("Node's own fetch", () => {
  it('by NODE_USE_ENV_PROXY, with the authority it was told of', async () => {
    const program = `const a = await fetch(process.argv[1]); console.log(a.status, await a.text());`;
    for (const url of [`${setting.double.tlsUrl}/web/env`, `${setting.double.plainUrl}/web/env`]) {
      const { stdout, stderr } = await runProgram(
        process.execPath,
        ['--input-type=module', '-e', program, url],
        {
          PATH: process.env.PATH,
          NODE_USE_ENV_PROXY: '1',
          HTTPS_PROXY: setting.proxy,
          HTTP_PROXY: setting.proxy,
          NODE_EXTRA_CA_CERTS: authorityFile,
        },
      );
      expect(stdout.trim(), stderr).toBe('200 {"url":"/web/env"}');
    }
  });
});

describe("OpenAI's SDK, behind a proxy", () => {
  const dispatcher = () => new ProxyAgent({ uri: setting.proxy, requestTls: { ca: authority } });

  const client = (through: ProxyAgent) =>
    new OpenAI({
      baseURL: `${setting.double.tlsUrl}/openai-tls/v1`,
      apiKey: 'sk-agent',
      maxRetries: 0,
      fetch: ((url: string, init: object) => fetchBy(url, { ...init, dispatcher: through })) as never,
    });

  const ask = {
    model: 'gpt-5-mini',
    messages: [{ role: 'user' as const, content: 'hi' }],
    stream: true as const,
  };

  it('streams, is metered and charged', async () => {
    const through = dispatcher();
    const { data, response } = await client(through).chat.completions.create(ask).withResponse();
    let text = '';
    for await (const chunk of data) text += chunk.choices[0]?.delta.content ?? '';
    expect(text).toBe('Hello');
    expect(await setting.rowOf(response)).toMatchObject({
      target: 'openai-tls/gpt-5-mini',
      tokens_out: 5,
      usage_source: 'reported',
      credential: 'real',
    });
    expect(setting.double.received.at(-1)!.headers.authorization).toBe(`Bearer ${REAL_KEY}`);
    await through.close();
  });

  it('another model is refused in its own words', async () => {
    const through = dispatcher();
    await expect(client(through).chat.completions.create({ ...ask, model: 'gpt-5' })).rejects.toMatchObject({
      status: 403,
      code: 'out_of_scope',
    });
    await through.close();
  });

  it('200 streams at a time, each over a connection of its own', async () => {
    const through = dispatcher();
    const openai = client(through);
    const texts = await Promise.all(
      Array.from({ length: 200 }, async () => {
        let text = '';
        for await (const chunk of await openai.chat.completions.create(ask))
          text += chunk.choices[0]?.delta.content ?? '';
        return text;
      }),
    );
    expect(texts).toEqual(Array(200).fill('Hello'));
    await through.close();
  });
});
