// The door for the sidecar's own requests: a dead letter that is carried again. It is a connection in memory, handed to
// the same server that reads every agent's, so the same parser, stages and record hold; whose request it is follows from
// the connection itself, which nobody outside can hold. No key opens it.

import { type IncomingMessage, request, type Server } from 'node:http';
import { type Duplex, duplexPair } from 'node:stream';
import type { Replay } from '../call.ts';

export interface Replayed {
  /** 0 where the connection broke before an answer. */
  readonly status: number;
  /** Its first bytes. */
  readonly body: Buffer;
}

export interface ReplayRequest {
  readonly replay: Replay;
  readonly method: string;
  /** A path of the reverse door, or a whole url. */
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

/** Resolves with its answer, whatever came of it. */
export type ReplayDoor = (request: ReplayRequest) => Promise<Replayed>;

const ANSWER_BYTES_KEPT = 64 * 1024;

/** `enter` is told whose requests come over a connection, before the server reads it. */
export function createReplayDoor(
  server: Server,
  enter: (connection: Duplex, replay: Replay) => void,
): ReplayDoor {
  return async ({ replay, method, url, headers, body }: ReplayRequest): Promise<Replayed> => {
    const [outside, inside] = duplexPair();
    enter(inside, replay);
    server.emit('connection', inside);
    try {
      return await exchange(outside, { method, url, headers, body });
    } finally {
      outside.destroy();
      inside.destroy();
    }
  };
}

function exchange(
  connection: Duplex,
  { method, url, headers, body }: Omit<ReplayRequest, 'replay'>,
): Promise<Replayed> {
  return new Promise((resolve) => {
    const broken = (): void => resolve({ status: 0, body: Buffer.alloc(0) });
    const sent = request({
      createConnection: () => connection as never,
      method,
      path: url,
      headers: [
        ...['host', url.startsWith('/') ? 'localhost' : new URL(url).host],
        ...headers.flat(),
        ...(body.length > 0 ? ['content-length', String(body.length)] : []),
        ...['connection', 'close'],
      ],
    });
    sent.once('error', broken);
    sent.once('response', (answer) => void read(answer).then(resolve, broken));
    sent.end(body.length > 0 ? body : undefined);
  });
}

async function read(answer: IncomingMessage): Promise<Replayed> {
  const chunks: Buffer[] = [];
  let left = ANSWER_BYTES_KEPT;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    if (left > 0) chunks.push(chunk.subarray(0, left));
    left -= chunk.length;
  }
  return { status: answer.statusCode ?? 0, body: Buffer.concat(chunks) };
}
