// Puts an answer on the wire, with whatever a test wished to go wrong: late, in pieces, broken off, never.

import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { Answer, Behaviour } from './behaviour.ts';

/** Resolves when the answer is out, or the connection gone. */
export async function deliver(response: ServerResponse, answer: Answer, behaviour: Behaviour): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  if (behaviour.hang) return void (await closed(response));
  if (behaviour.firstByteMs) await pause(behaviour.firstByteMs, gone.signal);
  if (behaviour.hangUpAfterBytes === 0) return void response.destroy();
  const pieces = cut(piecesOf(answer, behaviour), behaviour);
  const whole = typeof answer.body === 'string' || Buffer.isBuffer(answer.body);
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  response.writeHead(answer.status, {
    ...answer.headers,
    ...(behaviour.gzip && { 'content-encoding': 'gzip' }),
    ...(whole && { 'content-length': String(length) }),
    ...behaviour.headers,
  });
  response.flushHeaders();
  let left = behaviour.hangUpAfterBytes ?? Number.POSITIVE_INFINITY;
  for (const [index, piece] of pieces.entries()) {
    if (gone.signal.aborted) return;
    if (index > 0 && behaviour.betweenEventsMs) await pause(behaviour.betweenEventsMs, gone.signal);
    await written(response, piece.subarray(0, left));
    left -= piece.length;
    if (left <= 0) return void response.destroy();
  }
  if (behaviour.staysOpen) return void (await closed(response));
  response.end();
}

/** A stream's events apart, so that each is flushed on its own; anything compressed or whole in one piece. */
function piecesOf({ body }: Answer, behaviour: Behaviour): Buffer[] {
  const pieces = (typeof body === 'string' || Buffer.isBuffer(body) ? [body] : body).map((piece) =>
    Buffer.from(piece),
  );
  return behaviour.gzip ? [gzipSync(Buffer.concat(pieces))] : pieces;
}

function cut(pieces: Buffer[], { splitAt }: Behaviour): Buffer[] {
  if (!splitAt) return pieces;
  const body = Buffer.concat(pieces);
  const offsets = [0, ...splitAt.filter((at) => at > 0 && at < body.length), body.length];
  return offsets.slice(1).map((end, index) => body.subarray(offsets[index], end));
}

async function written(response: ServerResponse, piece: Buffer): Promise<void> {
  await new Promise<void>((resolve) => {
    response.once('close', resolve);
    response.write(piece, () => {
      response.off('close', resolve);
      resolve();
    });
  });
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

async function closed(response: ServerResponse): Promise<void> {
  if (!response.destroyed) await once(response, 'close');
}
