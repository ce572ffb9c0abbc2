// The official clients of tool servers and of other agents, by a proxy: in plain text and over TLS that the sidecar
// opens. They are told the server's own address and find it there; rules, refusals and records are those of the base URL.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Message, type SendMessageRequest, type Task } from '@a2a-js/sdk';
import { ClientFactory, DefaultAgentCardResolver, JsonRpcTransportFactory } from '@a2a-js/sdk/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { createServer } from '@modelcontextprotocol/server-everything/dist/server/index.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SampleAgent, startAgent } from '../a2a/agent.ts';
import type { Action } from '../end-to-end/fleet.ts';
import { serveTools, type ToolServer } from '../mcp/http-server.ts';
import { temporaryDirectory } from '../support/processes.ts';
import { makeServerCertificate } from './certificate.ts';
import { type Setting, startSetting } from './setting.ts';
import { startTlsFront, type TlsFront } from './tls-front.ts';

interface Place {
  /** The suffix of its upstreams' names. */
  readonly suffix: string;
  readonly tools: string;
  readonly writer: string;
}

let setting: Setting;
let tools: ToolServer;
let agents: SampleAgent[] = [];
let fronts: TlsFront[] = [];
let places: Readonly<Record<'forward' | 'intercepted', Place>>;

/** Answers, and what their records are to say. */
const recorded: [Response, Partial<Action>][] = [];

const rulesFor = (suffix: string): string[] => [
  `mcp tools${suffix}/echo`,
  `mcp tools${suffix}/trigger-long-running-operation`,
  `a2a writer${suffix}/summarise`,
  `a2a writer${suffix}/default`,
];

const configFor = ({ forward, intercepted }: typeof places): string => `fleet: sdk
mode: enforce
budgets: none
upstreams:
  tools: { url: "${forward.tools}", speaks: mcp }
  tools-tls: { url: "${intercepted.tools}", speaks: mcp }
  writer: { url: "${forward.writer}", speaks: a2a }
  writer-tls: { url: "${intercepted.writer}", speaks: a2a }
roles: { r: { allow: ${JSON.stringify([...rulesFor(''), ...rulesFor('-tls')])} } }
agents: { scout: { role: r } }
`;

beforeAll(async () => {
  const certificate = await makeServerCertificate();
  fronts = [await startTlsFront(certificate), await startTlsFront(certificate)];
  const [toolsFront, writerFront] = fronts as [TlsFront, TlsFront];
  tools = await serveTools(() => createServer().server);
  agents = [await startAgent(), await startAgent({ at: writerFront.url })];
  toolsFront.leadTo(tools.url);
  writerFront.leadTo(agents[1]!.url);
  places = {
    forward: { suffix: '', tools: tools.url, writer: agents[0]!.url },
    intercepted: { suffix: '-tls', tools: `${toolsFront.url}/mcp`, writer: writerFront.url },
  };
  const authority = join(temporaryDirectory('sdk'), 'fronts.pem');
  writeFileSync(authority, certificate.authorityPem);
  setting = await startSetting(configFor(places), { NODE_EXTRA_CA_CERTS: authority });
});
afterAll(async () => {
  await setting.stop();
  await Promise.all([tools.close(), ...agents.map((agent) => agent.stop())]);
  await Promise.all(fronts.map((front) => front.close()));
});

/** As its library's `fetch`, and every answer it brought. */
async function proxied(
  way: 'forward' | 'intercepted',
): Promise<{ fetch: typeof fetch; answers: Response[] }> {
  const { fetch: byProxy } = await setting.way(way, '');
  const answers: Response[] = [];
  return {
    answers,
    fetch: async (input, init) => {
      const answer = await byProxy(input, init);
      answers.push(answer);
      return answer;
    },
  };
}

function saying(text: string, skill: string): SendMessageRequest {
  const metadata = { skillId: skill };
  const message = Message.fromJSON({ messageId: 'm', role: 'ROLE_USER', parts: [{ text }], metadata });
  return { tenant: '', message, configuration: undefined, metadata: undefined };
}

describe.each(['forward', 'intercepted'] as const)('%s', (way) => {
  it('a tool server: what rules allow is listed and called, the rest is refused in words', async () => {
    const { suffix, tools: url } = places[way];
    const { fetch, answers } = await proxied(way);
    const client = new Client({ name: 'test', version: '1' });
    await client.connect(new StreamableHTTPClientTransport(new URL(url), { fetch }) as Transport);
    const { tools: listed } = await client.listTools();
    expect(listed.map(({ name }) => name).sort()).toEqual(['echo', 'trigger-long-running-operation']);
    const called = await client.callTool({ name: 'echo', arguments: { message: 'hi' } });
    expect(called.content).toEqual([{ type: 'text', text: 'Echo: hi' }]);
    const progress: number[] = [];
    await client.callTool(
      { name: 'trigger-long-running-operation', arguments: { duration: 0.2, steps: 2 } },
      undefined,
      { onprogress: ({ progress: step }) => progress.push(step) },
    );
    expect(progress).toEqual([1, 2]);
    const refused = await client.callTool({ name: 'get-env', arguments: {} });
    expect(refused).toMatchObject({
      isError: true,
      content: [{ text: expect.stringMatching(/^out_of_scope: /) }],
    });
    await client.close();
    recorded.push([
      answers.at(-1)!,
      { target: `tools${suffix}/get-env`, refusal: 'out_of_scope', status: 'refused' },
    ]);
  });

  it('another agent: found by its card, asked, followed, and refused in words', async () => {
    const { suffix, writer } = places[way];
    const { fetch, answers } = await proxied(way);
    const options = { fetchImpl: fetch, legacyCompat: { enabled: true } };
    const client = await new ClientFactory({
      transports: [new JsonRpcTransportFactory(options)],
      cardResolver: new DefaultAgentCardResolver(options),
    }).createFromUrl(`${writer}/`);
    const task = (await client.sendMessage(saying('ships', 'summarise'))) as Task;
    expect(task.artifacts[0]?.parts[0]?.content).toEqual({ $case: 'text', value: 'About ships.' });
    const asked = answers.at(-1)!;
    expect(new URL(asked.url).origin).toBe(new URL(writer).origin);
    const events: unknown[] = [];
    for await (const event of client.sendMessageStream(saying('cars', 'default')))
      events.push(event.payload?.$case);
    expect(events).toEqual(['task', 'statusUpdate', 'artifactUpdate', 'statusUpdate']);
    await expect(client.sendMessage(saying('x', 'publish'))).rejects.toThrow(
      `writer${suffix}/publish was refused: no rule allows it.`,
    );
    recorded.push(
      [asked, { target: `writer${suffix}/summarise`, refusal: '', status: 'success' }],
      [answers.at(-1)!, { target: `writer${suffix}/publish`, refusal: 'out_of_scope', status: 'refused' }],
    );
  });
});

it('each is recorded as if it had come by the base URL', async () => {
  expect(recorded).toHaveLength(6);
  const found = await setting.rowsOf(recorded.map(([answer]) => answer));
  expect(found).toMatchObject(recorded.map(([, row]) => row));
});
