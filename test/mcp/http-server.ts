// A tool server over HTTP on a free loopback port: the official SDK's transport around whatever server a test makes,
// with sessions, and an event store so that broken streams can be resumed.

import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { EventStore } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';

export interface ToolServer {
  readonly url: string;
  /** Every request that came, with its body. */
  readonly received: readonly Received[];
  close(): Promise<void>;
}

export interface Received {
  readonly method: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

interface Connectable {
  connect(transport: Transport): Promise<void>;
}

/** `make` makes the server of one session. `json` answers with JSON instead of event streams. */
export async function serveTools(
  make: () => Connectable,
  options: { json?: boolean } = {},
): Promise<ToolServer> {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  const received: Received[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await textOf(request);
    if (isForeign(request)) return void response.writeHead(403).end();
    received.push({ method: request.method ?? '', headers: request.headers, body });
    const session = request.headers['mcp-session-id'];
    const known = typeof session === 'string' ? sessions.get(session) : undefined;
    if (session !== undefined && !known) return void response.writeHead(404).end();
    const transport = known ?? (await begin());
    await transport.handleRequest(request, response, body === '' ? undefined : JSON.parse(body));
  };
  const begin = async (): Promise<StreamableHTTPServerTransport> => {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      eventStore: eventStore(),
      enableJsonResponse: options.json ?? false,
      onsessioninitialized: (id) => void sessions.set(id, transport),
    });
    await make().connect(transport as Transport);
    return transport;
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((failure: unknown) => response.destroy(failure as Error));
  });
  const url = await listening(server);
  return {
    url: `${url}/mcp`,
    received,
    async close() {
      for (const transport of sessions.values()) await transport.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** As the specification asks of a local server: no name and no page but this machine's own (DNS rebinding). */
function isForeign({ headers }: IncomingMessage): boolean {
  const local = (host: string) => /^(?:localhost|127\.0\.0\.1)(?::\d+)?$/.test(host);
  return !local(headers.host ?? '') || (headers.origin !== undefined && !local(new URL(headers.origin).host));
}

export async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function eventStore(): EventStore {
  const events: { id: string; stream: string; message: JSONRPCMessage }[] = [];
  return {
    async storeEvent(stream, message) {
      const id = String(events.length + 1);
      events.push({ id, stream, message });
      return id;
    },
    async replayEventsAfter(last, { send }) {
      const stream = events.find(({ id }) => id === last)?.stream ?? '';
      for (const event of events)
        if (event.stream === stream && Number(event.id) > Number(last)) await send(event.id, event.message);
      return stream;
    },
  };
}
