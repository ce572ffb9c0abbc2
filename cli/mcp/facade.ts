// The child as the HTTP server that the sidecar calls: streamable HTTP on a loopback port, which only who has the key may
// use. A POST with a request is answered by a stream that is open until the response came; what the child says of its
// own accord goes to the request it belongs to, else to whoever listens.
//
//   sidecar ── POST {id: 7} ──▶ facade ── line ──▶ child
//           ◀─ event, event ───        ◀── lines ──

import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { listenOn } from '../../kit/listen.ts';
import type { Log } from '../../kit/log.ts';
import { isObject } from '../../sidecar/dialects/fields.ts';
import { asLine } from './lines.ts';
import { type Carried, readCarried } from './message.ts';

export interface Facade {
  readonly url: string;
  /** Goes into `authorization`: other programs on this machine must not talk past the rules. */
  readonly key: string;
  /** A line of the child's. */
  take(line: Buffer): void;
  /** The child is gone: whoever waits for it waits no longer. */
  hangUp(): void;
  stop(): Promise<void>;
}

/** A stream that waits for the responses to the requests of one POST. */
interface Waiting {
  readonly response: ServerResponse;
  readonly ids: Set<string>;
  readonly progressToken: unknown;
}

const KEEP_ALIVE_MS = 15_000;
/** What the child says while nobody listens. */
const UNHEARD_MAX = 1_000;

export async function startFacade(write: (line: Buffer) => void, log: Log): Promise<Facade> {
  const key = randomBytes(24).toString('base64url');
  const waiting = new Set<Waiting>();
  let listener: ServerResponse | undefined;
  let unheard: Buffer[] = [];

  const post = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = asLine(await bodyOf(request));
    const carried = readCarried(body);
    if (!carried) return plainly(response, 400);
    if (carried.requests.length === 0) {
      write(body);
      endCancelled(carried);
      return plainly(response, 202);
    }
    open(response);
    const entry = { response, ids: new Set(carried.requests), progressToken: progressTokenOf(carried) };
    waiting.add(entry);
    response.once('close', () => waiting.delete(entry));
    write(body);
  };

  /** No response is owed to what was cancelled. */
  const endCancelled = ({ message }: Carried): void => {
    if (message.method !== 'notifications/cancelled' || !isObject(message.params)) return;
    const id = JSON.stringify(message.params.requestId ?? null);
    for (const entry of waiting) if (entry.ids.delete(id)) endIfDone(entry);
  };

  const listen = (response: ServerResponse): void => {
    open(response);
    listener?.end();
    listener = response;
    response.once('close', () => {
      if (listener === response) listener = undefined;
    });
    for (const line of unheard) event(response, line);
    unheard = [];
  };

  const answer = (line: Buffer, ids: readonly string[]): void => {
    const entry = [...waiting].find((one) => ids.some((id) => one.ids.has(id)));
    if (!entry) return log.warn('stdio.answer_unasked', { ids: ids.join().slice(0, 200) });
    event(entry.response, line);
    for (const id of ids) entry.ids.delete(id);
    endIfDone(entry);
  };

  const tell = (line: Buffer, { message }: Carried): void => {
    const token = isObject(message.params) ? message.params.progressToken : undefined;
    const entries = [...waiting];
    const own = token === undefined ? undefined : entries.find((one) => one.progressToken === token);
    const to = own?.response ?? entries.at(-1)?.response ?? listener;
    if (to) event(to, line);
    else if (unheard.length < UNHEARD_MAX) unheard.push(line);
    else log.warn('stdio.unheard', { dropped: line.length });
  };

  const hangUp = (): void => {
    for (const { response } of waiting) response.end();
    listener?.end();
  };

  const server = createServer((request, response) => {
    if (!isKey(request.headers.authorization, key)) return plainly(response, 401);
    if (request.method === 'GET') return listen(response);
    if (request.method !== 'POST') return plainly(response, 405);
    void post(request, response).catch(() => response.destroy());
  });
  const at = await listenOn(server, '127.0.0.1:0', 'the stdio server');
  const keepAlive = setInterval(() => {
    for (const { response } of waiting) response.write(':\n\n');
    listener?.write(':\n\n');
  }, KEEP_ALIVE_MS);

  return {
    url: at.url,
    key,
    take(line) {
      const carried = readCarried(line);
      if (!carried) log.warn('stdio.not_a_message', { bytes: line.length });
      else if (carried.responses.length > 0) answer(line, carried.responses);
      else tell(line, carried);
    },
    hangUp,
    async stop() {
      clearInterval(keepAlive);
      hangUp();
      await closed(server);
    },
  };
}

function endIfDone({ response, ids }: Waiting): void {
  if (ids.size === 0) response.end();
}

function open(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  response.flushHeaders();
}

function event(response: ServerResponse, line: Buffer): void {
  response.write('event: message\ndata: ');
  response.write(line);
  response.write('\n\n');
}

function plainly(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-length': '0' });
  response.end();
}

function isKey(header: string | undefined, key: string): boolean {
  const given = Buffer.from(header ?? '');
  const expected = Buffer.from(`Bearer ${key}`);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function progressTokenOf({ message }: Carried): unknown {
  const meta = isObject(message.params) ? message.params._meta : undefined;
  return isObject(meta) ? meta.progressToken : undefined;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
