// A provider's double: one server on loopback, in plain text and by TLS, that keeps what it received and answers as it
// is told, on the wire, byte for byte.

import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { makeServerCertificate } from './certificate.ts';

export interface Received {
  readonly method: string;
  /** With its query, as on the request line. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** Flat list of names and values, as they came. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  readonly encrypted: boolean;
}

export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON for anything but text and bytes; a list is sent piece by piece, each flushed. */
  readonly body?: unknown;
  readonly chunks?: readonly (string | Buffer)[];
}

export interface Double {
  /** `http://localhost:PORT` and `https://localhost:PORT`. */
  readonly plainUrl: string;
  readonly tlsUrl: string;
  /** Who signed what it shows: for `NODE_EXTRA_CA_CERTS`. */
  readonly authorityPem: string;
  readonly received: Received[];
  /** How it answers from now on. */
  answer(how: (request: Received) => Reply): void;
  close(): Promise<void>;
}

/** Server-sent events as providers write them: `event:` where the data names a type and `named` says so. */
export function eventStream(events: readonly unknown[], named = false): Reply {
  const chunks = events.map((data) => {
    const text = typeof data === 'string' ? data : JSON.stringify(data);
    const type = named && typeof data === 'object' ? `event: ${(data as { type: string }).type}\n` : '';
    return `${type}data: ${text}\n\n`;
  });
  return { headers: { 'content-type': 'text/event-stream; charset=utf-8' }, chunks };
}

export async function startDouble(): Promise<Double> {
  const received: Received[] = [];
  let how: (request: Received) => Reply = () => ({ status: 501, body: { error: { message: 'untold' } } });
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const one: Received = {
        method: request.method!,
        url: request.url!,
        headers: request.headers,
        rawHeaders: request.rawHeaders,
        body: Buffer.concat(pieces),
        encrypted: 'encrypted' in request.socket,
      };
      received.push(one);
      void reply(response, how(one));
    });
  };
  const certificate = await makeServerCertificate();
  const plain = createServer(serve);
  const tls = createTlsServer({ cert: certificate.certificatePem, key: certificate.keyPem }, serve);
  for (const server of [plain, tls])
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    plainUrl: `http://localhost:${(plain.address() as AddressInfo).port}`,
    tlsUrl: `https://localhost:${(tls.address() as AddressInfo).port}`,
    authorityPem: certificate.authorityPem,
    received,
    answer: (means) => {
      how = means;
    },
    async close() {
      for (const server of [plain, tls]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}

async function reply(
  response: ServerResponse,
  { status = 200, headers, body, chunks }: Reply,
): Promise<void> {
  const raw = typeof body === 'string' || Buffer.isBuffer(body);
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  for (const chunk of chunks ?? [])
    await new Promise<void>((resolve) => response.write(chunk, () => resolve()));
  response.end(body === undefined ? undefined : raw ? body : JSON.stringify(body));
}
