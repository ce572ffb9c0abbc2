// The far end of a tunnel: a plain connection to a host and port, over which bytes go both ways unread.

import { connect, type Socket } from 'node:net';
import type { Timeouts } from '../../contract/config/config.ts';
import type { Answer, Outbound } from '../call.ts';

/** Rejects with the Error of a connection that did not come about; nothing was sent then. */
export function openTunnel(
  { origin }: Outbound,
  { connectMs }: Timeouts,
  onStarted: (abort: (reason: Error) => void) => void,
): Promise<Answer> {
  const { hostname, port } = new URL(origin);
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 443) });
  onStarted((reason) => socket.destroy(reason));
  return new Promise((resolve, reject) => {
    const failed = (failure: Error): void => {
      socket.destroy();
      reject(failure);
    };
    const late = setTimeout(() => failed(new Error('not connected in time')), connectMs);
    socket.once('error', failed);
    socket.once('connect', () => {
      clearTimeout(late);
      socket.off('error', failed);
      resolve(answerOf(socket));
    });
  });
}

/** As a proxy answers a CONNECT that succeeded: with a status and nothing else. */
const answerOf = (socket: Socket): Answer => ({
  status: 200,
  headers: [],
  header: () => undefined,
  socket,
  listen: (sink) => sink.end(),
  pause: () => void socket.pause(),
  resume: () => void socket.resume(),
  abort: (reason) => void socket.destroy(reason),
});
