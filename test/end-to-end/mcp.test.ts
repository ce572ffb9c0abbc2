// The official client, through the sidecar, to a server that has everything: what it may use works as it would directly,
// what it may not is neither shown nor called, and every message has a record.

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { CreateMessageRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { createServer } from '@modelcontextprotocol/server-everything/dist/server/index.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveTools, type ToolServer } from '../mcp/http-server.ts';
import { until } from '../support/processes.ts';
import { type Fleet, startFleet } from './fleet.ts';

const config = (url: string): string => `fleet: test
mode: enforce
upstreams:
  all: { url: "${url}", speaks: mcp }
roles:
  tester:
    allow:
      - mcp all/echo
      - mcp all/get-*
      - mcp all/trigger-*
      - mcp all/simulate-*
      - mcp all/resource:demo://resource/dynamic/text/*
      - mcp all/prompt:simple-prompt
    deny:
      - mcp all/get-env
      - mcp all/get-sum when args.a > 100.0
agents:
  scout: { role: tester }
prices:
  all: { call: $0.005 }
listen: { proxy: 127.0.0.1:0, admin: 127.0.0.1:0, otlp: 127.0.0.1:0, control: 127.0.0.1:0, sql: 127.0.0.1:0 }
`;

let tools: ToolServer;
let fleet: Fleet;
let client: Client;
beforeAll(async () => {
  tools = await serveTools(() => createServer().server);
  fleet = await startFleet(config(tools.url));
  client = new Client({ name: 'test', version: '1' }, { capabilities: { sampling: {} } });
  client.setRequestHandler(CreateMessageRequestSchema, () => ({
    model: 'none',
    role: 'assistant',
    content: { type: 'text', text: 'sampled here' },
  }));
  await client.connect(new StreamableHTTPClientTransport(new URL(`${fleet.proxy}/all`)) as Transport);
});
afterAll(async () => {
  expect(await fleet.stop()).toBe(0); // with the client still listening
  await client.close();
  await tools.close();
});

const textOf = (result: unknown): string => JSON.stringify(result);

describe('through the sidecar', () => {
  it('shows the tools that some rule could allow', async () => {
    const { tools: shown } = await client.listTools();
    const names = shown.map(({ name }) => name);
    expect(names).toContain('echo');
    expect(names).toContain('get-sum');
    expect(names).not.toContain('get-env');
    expect(names).not.toContain('toggle-simulated-logging');
  });

  it('calls', async () => {
    expect(textOf(await client.callTool({ name: 'echo', arguments: { message: 'hi' } }))).toContain(
      'Echo: hi',
    );
    const refused = await client.callTool({ name: 'get-env', arguments: {} });
    expect(refused.isError).toBe(true);
    expect(textOf(refused)).toContain('out_of_scope');
    expect(textOf(await client.callTool({ name: 'get-sum', arguments: { a: 200, b: 1 } }))).toContain(
      'out_of_scope',
    );
    expect(textOf(await client.callTool({ name: 'get-sum', arguments: { a: 1, b: 1 } }))).toContain('2');
  });
  it('reads resources and prompts by their own names', async () => {
    const { resources } = await client.listResources();
    expect(resources).toEqual([]);
    const { resourceTemplates } = await client.listResourceTemplates();
    expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual([
      'demo://resource/dynamic/text/{resourceId}',
    ]);
    const uri = 'demo://resource/dynamic/text/1';
    expect(textOf(await client.readResource({ uri }))).toContain('Resource 1');
    await expect(client.readResource({ uri: 'demo://resource/dynamic/blob/1' })).rejects.toThrow(
      'out_of_scope',
    );
    expect((await client.listPrompts()).prompts.map(({ name }) => name)).toEqual(['simple-prompt']);
    expect((await client.getPrompt({ name: 'simple-prompt' })).messages).toHaveLength(1);
    await expect(client.getPrompt({ name: 'complex-prompt', arguments: {} })).rejects.toThrow('out_of_scope');
  });

  it('carries what the server asks the client in the middle of a call, and its progress', async () => {
    const steps: number[] = [];
    const call = { name: 'trigger-long-running-operation', arguments: { duration: 0.2, steps: 2 } };
    await client.callTool(call, undefined, { onprogress: ({ progress }) => void steps.push(progress) });
    expect(steps).toEqual([1, 2]);
    const sampled = await client.callTool({
      name: 'trigger-sampling-request',
      arguments: { prompt: 'x', maxTokens: 5 },
    });
    expect(textOf(sampled)).toContain('sampled here');
  });

  it('records every message, as the MCP conventions name it', async () => {
    interface Recorded {
      readonly name: string;
      readonly method: string;
      readonly tool: string;
      readonly session: string;
      readonly status: string;
      readonly error: string;
    }
    const find = () =>
      fleet.query<Recorded>(
        `SELECT SpanName AS name, SpanAttributes['mcp.method.name'] AS method, SpanAttributes['gen_ai.tool.name'] AS tool,
          SpanAttributes['mcp.session.id'] AS session, SpanAttributes['outrider.status'] AS status,
          SpanAttributes['error.type'] AS error FROM otel_traces ORDER BY Timestamp`,
      );
    const found = await until(find, (rows) => rows.some(({ name }) => name.endsWith('sampling-request')));
    const named = (name: string) => found.filter((span) => span.name === name);
    expect(named('initialize')).toMatchObject([{ method: 'initialize', session: '', status: 'success' }]);
    expect(named('tools/call echo')).toMatchObject([
      { method: 'tools/call', tool: 'echo', status: 'success' },
    ]);
    expect(named('tools/call get-env')).toMatchObject([{ status: 'refused', error: 'out_of_scope' }]);
    expect(named('response').length).toBeGreaterThan(0); // the client's answer to the server's question
    expect(named('tools/call echo')[0]!.session).toMatch(/^[0-9a-f-]{36}$/);
    const sums = () =>
      fleet.query<{ cost: number }>(
        "SELECT toFloat64(sum(cost_usd)) AS cost FROM actions WHERE target = 'all/get-sum'", // one passed, one was refused
      );
    const paid = await until(sums, ([sum]) => sum!.cost > 0);
    expect(paid).toMatchObject([{ cost: 0.005 }]);
  });
});
