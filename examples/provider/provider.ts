// A practice provider: speaks OpenAI's, Anthropic's and Gemini's public wire formats on one port, and an echo under
// /anything; asks no model, bills nothing. People try Outrider against it, tests drive it with the official SDKs. It is
// written from the API references and the SDKs' types, not from our readers of them, so that the two can disagree.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { anthropicAnswer, anthropicError } from './anthropic.ts';
import {
  type Answer,
  type Behaviour,
  type JsonRecord,
  jsonAnswer,
  type ReceivedRequest,
} from './behaviour.ts';
import { deliver } from './deliver.ts';
import { geminiAnswer, geminiError } from './gemini.ts';
import { openaiAnswer, openaiError } from './openai.ts';

export type { Behaviour, ReceivedRequest } from './behaviour.ts';

export interface ProviderOptions {
  readonly port?: number;
  readonly host?: string;
  /** When given, a request must carry one of these keys; otherwise it is answered 401. */
  readonly keys?: readonly string[];
  /** False: `requests` stays empty, so that a long run does not fill the memory. */
  readonly keepRequests?: boolean;
  readonly behave?: (request: ReceivedRequest) => Behaviour | undefined;
}

export interface Provider {
  /** `http://127.0.0.1:port`, without a path. */
  readonly url: string;
  /** Every request that arrived whole, in order. */
  readonly requests: readonly ReceivedRequest[];
  close(): Promise<void>;
}

export async function startProvider(options: ProviderOptions = {}): Promise<Provider> {
  const requests: ReceivedRequest[] = [];
  const server = createServer((incoming, response) => {
    handle(incoming, response, options, requests).catch(() => response.destroy());
  });
  server.on('connection', (socket) => socket.setNoDelay(true));
  await listening(server, options.port ?? 0, options.host ?? '127.0.0.1');
  const { address, port } = server.address() as AddressInfo;
  return {
    url: `http://${address}:${port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listening(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
}

async function handle(
  incoming: IncomingMessage,
  response: ServerResponse,
  options: ProviderOptions,
  requests: ReceivedRequest[],
): Promise<void> {
  const request = await receive(incoming, response);
  if (options.keepRequests !== false) requests.push(request);
  const behaviour = options.behave?.(request) ?? {};
  await deliver(response, answerTo(request, behaviour, options.keys), behaviour);
}

async function receive(incoming: IncomingMessage, response: ServerResponse): Promise<ReceivedRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const ended = new Promise<boolean>((resolve) => {
    response.once('close', () => resolve(response.writableFinished));
  });
  const url = incoming.url ?? '/';
  return {
    method: incoming.method ?? 'GET',
    url,
    path: url.split('?', 1)[0]!,
    headers: incoming.headers,
    rawHeaders: incoming.rawHeaders,
    body: Buffer.concat(chunks),
    ended,
  };
}

function answerTo(
  request: ReceivedRequest,
  behaviour: Behaviour,
  keys: readonly string[] | undefined,
): Answer {
  if (behaviour.raw) {
    const { contentType, body } = behaviour.raw;
    return { status: behaviour.status ?? 200, headers: { 'content-type': contentType }, body };
  }
  const speaksAnthropic =
    request.headers['anthropic-version'] !== undefined || /^\/anthropic\/|\/v1\/messages/.test(request.path);
  const speaksGemini =
    request.headers['x-goog-api-key'] !== undefined || /^\/gemini\/|\/models\/[^/]+:/.test(request.path);
  if (keys && !keys.includes(keyOf(request))) {
    const refused = { errorMessage: 'The key is not one of mine.' };
    if (speaksGemini) return geminiError(401, refused);
    return speaksAnthropic ? anthropicError(401, refused) : openaiError(401, refused);
  }
  const body = parsed(request.body);
  if (speaksGemini) return geminiAnswer(request, body, behaviour) ?? otherwise(request, behaviour);
  const [first, second] = speaksAnthropic ? [anthropicAnswer, openaiAnswer] : [openaiAnswer, anthropicAnswer];
  return first(request, body, behaviour) ?? second(request, body, behaviour) ?? otherwise(request, behaviour);
}

function keyOf({ headers }: ReceivedRequest): string {
  const key =
    headers['x-api-key'] ??
    headers['x-goog-api-key'] ??
    headers['api-key'] ??
    headers.authorization?.replace(/^Bearer /, '') ??
    '';
  return String(key);
}

function parsed(body: Buffer): JsonRecord | null {
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as JsonRecord)
      : null;
  } catch {
    return null;
  }
}

/** Any other path says what arrived; its headers, which may hold a secret, only when the request asks for them. */
function otherwise(request: ReceivedRequest, behaviour: Behaviour): Answer {
  const { method, url, path, headers, body } = request;
  if (/^\/(openai|anthropic|gemini|v1)\//.test(path))
    return jsonAnswer({ error: `no endpoint ${method} ${path}` }, 404);
  const reflected = headers['x-reflect-headers'] === undefined ? {} : { headers };
  return jsonAnswer({ method, url, body: body.toString(), ...reflected }, behaviour.status ?? 200);
}
