// What stands behind the sidecar, in plain text and by TLS: it keeps what it received and has each request judged by its
// bytes. A request or frame it cannot parse is a violation: heads are rebuilt and frames checked, so none may come.

import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { makeServerCertificate } from '../sdk/certificate.ts';
import { digestsOf } from './digests.ts';
import { wrongWith, wrongWithUpgrade } from './oracle.ts';

export interface Received {
  /** Of the record that must allow it: the caller's span in `traceparent`. */
  readonly spanId: string;
  readonly line: string;
  /** SHA-256 of the body, and of what it was before anything was put in that may be. */
  readonly digests: readonly string[];
}

export interface Origin {
  readonly address: string;
  readonly secureAddress: string;
  /** Who signed what it shows: for `NODE_EXTRA_CA_CERTS`. */
  readonly authorityPem: string;
  /** Takes what came since it was last asked. */
  take(): Received[];
  /** What no rule allows, as sentences. */
  readonly violations: readonly string[];
  close(): Promise<void>;
}

const ANSWER = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  result: {},
  usage: { prompt_tokens: 1, completion_tokens: 1, input_tokens: 1, output_tokens: 1 },
  usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 },
});
const NOTHING = Buffer.alloc(0);

export async function startOrigin(): Promise<Origin> {
  let received: Received[] = [];
  const violations: string[] = [];
  const keep = (request: IncomingMessage, body: Buffer, wrong: string | undefined): void => {
    received.push(receivedOf(request, body));
    if (wrong)
      violations.push(`${wrong}: ${request.method} ${request.url} ${body.toString('latin1', 0, 500)}`);
  };
  const serve: RequestListener = (request, response) => {
    void bodyOf(request).then(
      (body) => {
        keep(request, body, wrongWith(request, body));
        response.writeHead(200, { 'content-type': 'application/json' }).end(ANSWER);
      },
      () => response.destroy(),
    );
  };
  const { authorityPem, certificatePem, keyPem } = await makeServerCertificate();
  const plain = createServer(serve);
  const secure = createTlsServer({ cert: certificatePem, key: keyPem }, serve);
  const sockets = acceptSockets(violations);
  for (const server of [plain, secure]) {
    server.on('clientError', (failure, socket) => {
      if ('rawPacket' in failure) violations.push(`not HTTP: ${failure.message}`);
      socket.destroy();
    });
    server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      keep(request, NOTHING, wrongWithUpgrade(request));
      sockets.handleUpgrade(request, socket, head, talk(violations));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  }
  return {
    address: `127.0.0.1:${portOf(plain)}`,
    secureAddress: `localhost:${portOf(secure)}`,
    authorityPem,
    take() {
      const taken = received;
      received = [];
      return taken;
    },
    violations,
    async close() {
      for (const client of sockets.clients) client.terminate();
      await Promise.all([plain, secure].map(closed));
    },
  };
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function acceptSockets(violations: string[]): WebSocketServer {
  const sockets = new WebSocketServer({ noServer: true });
  sockets.on('wsClientError', (failure, socket, request) => {
    violations.push(`no upgrade: ${failure.message}: ${request.url}`);
    socket.destroy();
  });
  return sockets;
}

/** Of content, which is nobody's but the two ends': not unmasked on its way, not judged. */
const CONTENT = new Set(['WS_ERR_INVALID_UTF8', 'WS_ERR_INVALID_CLOSE_CODE']);

const talk =
  (violations: string[]) =>
  (client: WebSocket): void => {
    client.on('message', (data, binary) => client.send(data, { binary }));
    client.on('error', (failure) => {
      const code = 'code' in failure ? String(failure.code) : '';
      if (code.startsWith('WS_ERR_') && !CONTENT.has(code)) violations.push(`a frame: ${failure.message}`);
    });
  };

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function receivedOf({ headers, method, url }: IncomingMessage, body: Buffer): Received {
  const [, , spanId = ''] = String(headers.traceparent ?? '').split('-');
  return { spanId, line: `${method} ${url}`, digests: digestsOf(body) };
}
