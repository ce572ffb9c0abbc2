// The official client, through the sidecar, to a server that has everything: what it may use works as it would directly,
// what it may not is neither shown nor called, and every message has a record.

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
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
  client = new Client(
    { name: 'test', version: '1' },
    { capabilities: { sampling: {}, elicitation: {}, roots: {} } },
  );
  await client.connect(new StreamableHTTPClientTransport(new URL(`${fleet.proxy}/all`)) as Transport);
});
afterAll(async () => {
  await client.close();
  expect(await fleet.stop()).toBe(0);
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
  it('records', async () => {
    const found = await until(
      () =>
        fleet.query('SELECT target, status, cost_usd, action_type, refusal FROM actions ORDER BY timestamp'),
      (rows) => rows.length >= 8,
    );
    expect(found.length).toBeGreaterThan(7);
  });
});
