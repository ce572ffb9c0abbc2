// Sends bytes on a connection of their own, inside a tunnel where they belong there, and waits for it to end. A request
// that is not whole gets no answer: after a silence the sending side is closed, and then the other side must close too.

import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Sent } from './mutate.ts';

const SILENCE_MS = 300;
const BOUND_MS = 20_000;

/**
 * Resolves with the status of the first answer, 0 where none came; rejects when the connection is still open at the
 * bound, or the tunnel, which nothing mutated, was not opened.
 */
export async function exchange(
  port: number,
  { bytes, through }: Sent,
  silenceMs = SILENCE_MS,
): Promise<number> {
  const socket = connect({ port, host: '127.0.0.1' });
  if (!through) return converse(socket, bytes, silenceMs);
  await open(socket, through.authority);
  return converse(through.encrypted ? encrypted(socket) : socket, bytes, silenceMs);
}

function converse(socket: Socket, bytes: Buffer, silenceMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let first = '';
    const silence = setTimeout(() => socket.end(), silenceMs);
    const bound = setTimeout(() => {
      reject(new Error(`neither answered nor closed within ${BOUND_MS} ms`));
      socket.destroy();
    }, BOUND_MS);
    socket.on('data', (chunk: Buffer) => {
      if (first === '') first = chunk.toString('latin1', 0, 16);
      silence.refresh();
    });
    // a reset is an answer as well: the other side has closed
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      clearTimeout(silence);
      clearTimeout(bound);
      resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1] ?? 0));
    });
    socket.write(bytes);
  });
}

function open(socket: Socket, authority: string): Promise<void> {
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => socket.destroy(), BOUND_MS);
    const closed = (): void => reject(new Error(`not given its tunnel to ${authority}`));
    socket.once('error', reject).once('close', closed);
    socket.once('data', (answer: Buffer) => {
      clearTimeout(late);
      socket.off('error', reject).off('close', closed);
      if (answer.toString('latin1').startsWith('HTTP/1.1 200 ')) resolve();
      else reject(new Error(`answered to its CONNECT with ${answer.toString('latin1')}`));
    });
  });
}

/** Whose certificate it is was tried elsewhere, and weighing it takes time. */
const encrypted = (socket: Socket): Socket =>
  connectTls({ socket, servername: 'localhost', rejectUnauthorized: false });
