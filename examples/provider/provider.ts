// A practice provider: speaks OpenAI's and Anthropic's public wire format on one port, asks no model, bills nothing.
// People try Outrider against it, tests drive it with the official SDKs and see every byte that arrived.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { anthropicReply } from './anthropic.ts';
import type { Behaviour, Reply } from './behaviour.ts';
import { openaiReply } from './openai.ts';

export type { Behaviour } from './behaviour.ts';

export interface ReceivedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  /** Resolves when the answer has gone, with false when the client hung up before its end. */
  readonly ended: Promise<boolean>;
}

export interface Provider {
  readonly url: string;
  /** Every request that arrived whole, in order. */
  readonly requests: readonly ReceivedRequest[];
  close(): Promise<void>;
}

export interface ProviderOptions {
  readonly port?: number;
  readonly host?: string;
  /** How to answer; undefined leaves it at the usual answer. */
  readonly behave?: (request: ReceivedRequest) => Behaviour | undefined;
}

export async function startProvider(options: ProviderOptions = {}): Promise<Provider> {
  const requests: ReceivedRequest[] = [];
  const server = createServer((request, response) => {
    receive(request, response)
      .then((received) => {
        requests.push(received);
        return answer(received, response, options.behave?.(received) ?? {});
      })
      .catch((failure) => response.destroy(failure as Error));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, options.host ?? '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${options.host ?? '127.0.0.1'}:${port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function receive(request: IncomingMessage, response: ServerResponse): Promise<ReceivedRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const ended = new Promise<boolean>((resolve) => {
    response.once('close', () => resolve(response.writableFinished));
  });
  const { method = '', url = '', headers, rawHeaders } = request;
  return { method, url, headers, rawHeaders: [...rawHeaders], body: Buffer.concat(chunks), ended };
}

async function answer(
  request: ReceivedRequest,
  response: ServerResponse,
  behaviour: Behaviour,
): Promise<void> {
  if (behaviour.hang) return;
  if (behaviour.hangUpAfterBytes === 0) return void response.destroy();
  const reply = replyTo(request, behaviour);
  const pieces = behaviour.gzip ? compressed(reply) : resplit(reply, behaviour.splitAt);
  for (const [name, value] of Object.entries(behaviour.headers ?? {})) response.setHeader(name, value);
  if (behaviour.gzip) response.setHeader('content-encoding', 'gzip');
  response.setHeader('content-type', reply.contentType);
  response.setHeader('x-request-id', 'req_practice');
  if (!reply.contentType.startsWith('text/event-stream')) {
    response.setHeader(
      'content-length',
      pieces.reduce((sum, { bytes }) => sum + bytes.length, 0),
    );
  }
  let sent = 0;
  for (const { bytes, pauseMs } of pieces) {
    if (pauseMs > 0) await pause(pauseMs);
    if (response.destroyed) return;
    if (sent === 0) response.writeHead(reply.status);
    const left = (behaviour.hangUpAfterBytes ?? Number.POSITIVE_INFINITY) - sent;
    await write(response, bytes.subarray(0, left));
    sent += bytes.length;
    if (bytes.length >= left) return void response.destroy();
  }
  response.end();
}

function replyTo({ method, url, headers, body }: ReceivedRequest, behaviour: Behaviour): Reply {
  const { raw } = behaviour;
  if (raw) {
    const pieces = [{ bytes: Buffer.from(raw.body), pauseMs: behaviour.firstByteMs ?? 0 }];
    return { status: behaviour.status ?? 200, contentType: raw.contentType, pieces };
  }
  const path = url.split('?')[0] ?? '';
  const speaksAnthropic =
    'anthropic-version' in headers || path.startsWith('/anthropic') || path.includes('/messages');
  const reply = (speaksAnthropic ? anthropicReply : openaiReply)(method, path, body, behaviour);
  if (reply) return reply;
  const text = JSON.stringify({ method, path, received: body.length });
  return {
    status: behaviour.status ?? 200,
    contentType: 'application/json',
    pieces: [{ bytes: Buffer.from(text), pauseMs: behaviour.firstByteMs ?? 0 }],
  };
}

function compressed(reply: Reply): Reply['pieces'] {
  return [{ bytes: gzipSync(Buffer.concat(reply.pieces.map(({ bytes }) => bytes))), pauseMs: 0 }];
}

function resplit(reply: Reply, at: readonly number[] | undefined): Reply['pieces'] {
  if (!at) return reply.pieces;
  const bytes = Buffer.concat(reply.pieces.map((piece) => piece.bytes));
  const cuts = [
    0,
    ...[...at].sort((a, b) => a - b).filter((cut) => cut > 0 && cut < bytes.length),
    bytes.length,
  ];
  return cuts.slice(1).map((end, i) => ({ bytes: bytes.subarray(cuts[i], end), pauseMs: 1 }));
}

function write(response: ServerResponse, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => void response.write(bytes, () => resolve()));
}
