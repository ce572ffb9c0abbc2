// The official client and server of the stateless revision, through a sidecar: every request says in headers what its
// body says, and the sidecar holds it to that; and the client of the sessions before it, which resumes broken streams.

import { createServer, request } from 'node:http';
import { Readable } from 'node:stream';
import { Client as StatelessClient, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { listening, type Received } from './http-server.ts';
import { type SidecarForOne, startSidecarFor } from './sidecar.ts';

const VERSION = '2026-07-28';
const received: Received[] = [];
let close: () => void = () => undefined;
let sidecar: SidecarForOne;

function tools(): McpServer {
  const server = new McpServer({ name: 'weather', version: '1' });
  server.registerTool(
    'forecast',
    {
      description: 'The weather of a region.',
      inputSchema: z.object({ region: z.string().meta({ 'x-mcp-header': 'Region' }), days: z.int() }),
    },
    ({ region, days }) => ({ content: [{ type: 'text', text: `${days} days of ${region}` }] }),
  );
  server.registerTool('température', { description: 'Not ASCII.', inputSchema: z.object({}) }, () => ({
    content: [{ type: 'text', text: '21' }],
  }));
  return server;
}

beforeAll(async () => {
  const handler = createMcpHandler(tools, { legacy: 'reject' });
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const body = Buffer.concat(chunks);
      received.push({ method: request.method ?? '', headers: request.headers, body: body.toString() });
      const headers = new Headers(request.headers as Record<string, string>);
      const answer = await handler.fetch(
        new Request(`http://${request.headers.host}${request.url}`, {
          method: request.method ?? 'POST',
          headers,
          ...(body.length > 0 && { body }),
        }),
      );
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      if (answer.body) Readable.fromWeb(answer.body as never).pipe(response);
      else response.end();
    });
  });
  const url = await listening(server);
  close = () => {
    server.closeAllConnections();
    server.close();
  };
  sidecar = await startSidecarFor(`${url}/mcp`);
});
afterAll(async () => {
  await sidecar.stop();
  close();
});

async function connected(): Promise<StatelessClient> {
  const client = new StatelessClient(
    { name: 'test', version: '1' },
    { versionNegotiation: { mode: { pin: VERSION } } },
  );
  await client.connect(new StreamableHTTPClientTransport(new URL(sidecar.url)));
  return client;
}

describe(`a client of ${VERSION}`, () => {
  it('discovers, lists and calls, with what it says in headers', async () => {
    const client = await connected();
    const { tools: shown } = await client.listTools();
    expect(shown.map(({ name }) => name)).toEqual(['forecast', 'température']);
    const result = await client.callTool({ name: 'forecast', arguments: { region: 'Zürich', days: 3 } });
    expect(JSON.stringify(result)).toContain('3 days of Zürich');
    expect(JSON.stringify(await client.callTool({ name: 'température', arguments: {} }))).toContain('21');
    await client.close();
    const call = received.find(({ body }) => body.includes('"forecast"'))!;
    expect(call.headers).toMatchObject({
      'mcp-protocol-version': VERSION,
      'mcp-method': 'tools/call',
      'mcp-name': 'forecast',
      'mcp-param-region': expect.stringMatching(/^=\?base64\?/),
    });
    const { _meta } = (JSON.parse(call.body) as { params: { _meta: Record<string, string> } }).params;
    expect(_meta.traceparent).toBe(call.headers.traceparent);
    expect(_meta.baggage).toContain('outrider.caller=scout');
    expect(_meta.baggage).toContain('outrider.depth=1');
  });

  it('is stopped where a header says another tool than the body', async () => {
    const before = received.length;
    const body = {
      jsonrpc: '2.0',
      id: 7,
      method: 'tools/call',
      params: {
        name: 'forecast',
        arguments: {},
        _meta: { 'io.modelcontextprotocol/protocolVersion': VERSION },
      },
    };
    const answer = await fetch(sidecar.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': VERSION,
        'mcp-method': 'tools/call',
        'mcp-name': 'harmless',
      },
      body: JSON.stringify(body),
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      id: 7,
      error: { code: -32020, data: { reason: 'header_mismatch' } },
    });
    expect(received).toHaveLength(before);
  });

  it('may listen for changes until it closes', async () => {
    const client = await connected();
    const body = {
      jsonrpc: '2.0',
      id: 1,
      method: 'subscriptions/listen',
      params: {
        notifications: { toolsListChanged: true },
        _meta: {
          'io.modelcontextprotocol/protocolVersion': VERSION,
          'io.modelcontextprotocol/clientInfo': { name: 't', version: '1' },
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    };
    const hangUp = new AbortController();
    const stream = await fetch(sidecar.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': VERSION,
        'mcp-method': 'subscriptions/listen',
      },
      body: JSON.stringify(body),
      signal: hangUp.signal,
    });
    const first = await stream.body!.getReader().read();
    expect(Buffer.from(first.value!).toString()).toContain('notifications/subscriptions/acknowledged');
    hangUp.abort();
    await client.close();
  });
});

describe('a page of another site', () => {
  it.each([{ origin: 'https://attacker.example' }, { host: 'attacker.example' }])(
    'is refused: %o',
    async (headers) => {
      const status = await new Promise<number>((resolve, reject) => {
        const sent = request(
          sidecar.url,
          { method: 'POST', agent: false, headers: { ...headers, 'content-length': 0 } },
          (answer) => {
            answer.resume();
            resolve(answer.statusCode ?? 0);
          },
        );
        sent.on('error', reject).end();
      });
      expect([400, 403]).toContain(status);
      if ('origin' in headers) expect(status).toBe(403);
    },
  );
});
