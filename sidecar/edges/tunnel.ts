// The far end of a tunnel: a plain connection to a host and port, over which bytes go both ways unread.

import type { Socket } from 'node:net';
import type { Timeouts } from '../../contract/config/config.ts';
import type { Answer, Outbound } from '../call.ts';
import type { Dialer } from './dialer.ts';

/** Rejects with the DialFailure of a connection that did not come about, or with the reason of the abort. */
export async function openTunnel(
  dialer: Dialer,
  { origin, publicOnly }: Outbound,
  { connectMs }: Timeouts,
  onStarted: (abort: (reason: Error) => void) => void,
): Promise<Answer> {
  const { hostname, port } = new URL(origin);
  let aborted: Error | null = null;
  let open: Socket | null = null;
  onStarted((reason) => {
    aborted = reason;
    open?.destroy();
  });
  const host = hostname.replace(/^\[|\]$/g, '');
  open = await dialer.open({ host, port: Number(port || 443), tls: false, publicOnly }, connectMs);
  if (!aborted) return answerOf(open);
  open.destroy();
  throw aborted;
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
  abort: () => void socket.destroy(),
});
