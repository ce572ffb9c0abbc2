// Sends bytes on a connection of their own and waits for it to end. A request that is not whole gets no answer: after a
// silence the sending side is closed, and then the other side must close too.

import { connect } from 'node:net';

const SILENCE_MS = 150;
const BOUND_MS = 20_000;

/** Resolves with the bytes that came back; rejects when the connection is still open at the bound. */
export function exchange(port: number, bytes: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    let got = 0;
    const socket = connect({ port, host: '127.0.0.1' }, () => void socket.write(bytes));
    let silence = setTimeout(() => socket.end(), SILENCE_MS);
    const bound = setTimeout(() => {
      socket.destroy();
      reject(new Error(`neither answered nor closed within ${BOUND_MS} ms`));
    }, BOUND_MS);
    socket.on('data', (chunk) => {
      got += chunk.length;
      clearTimeout(silence);
      silence = setTimeout(() => socket.end(), SILENCE_MS);
    });
    // a reset is an answer as well: the other side has closed
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      clearTimeout(silence);
      clearTimeout(bound);
      resolve(got);
    });
  });
}
