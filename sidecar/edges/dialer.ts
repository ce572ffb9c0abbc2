// Opens connections, and is the only one who does: to upstreams, through tunnels. Each new socket is resolved and judged
// anew (reach.ts). TLS is always verified against the host's own name, whatever the environment says, and no session is
// ever resumed: a connection to one name proves nothing about another.

import type { LookupAddress } from 'node:dns';
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { DialFailure } from './dial-failure.ts';
import { addressesOf, type Place, type Reach } from './reach.ts';

export interface Target extends Place {
  readonly tls: boolean;
}

export interface Dialer {
  /** A connected socket, after the handshake where there is TLS. Rejects with DialFailure within `withinMs`. */
  open(target: Target, withinMs: number): Promise<Socket>;
}

export interface DialerOptions extends Reach {
  /** Opens the socket itself; Node's own outside of tests. */
  readonly connect?: (target: Target, addresses: readonly LookupAddress[]) => Socket;
}

const KEEP_ALIVE_AFTER_MS = 60_000;

export function createDialer(options: DialerOptions): Dialer {
  const connect = options.connect ?? connectChecked;
  return {
    async open(target, withinMs) {
      const endsAt = performance.now() + withinMs;
      const addresses = await inTime(addressesOf(target, options), target, withinMs);
      return connected(connect(target, addresses), target, Math.max(1, endsAt - performance.now()));
    },
  };
}

/** The system's resolver takes as long as it likes. */
function inTime<Value>(found: Promise<Value>, { host }: Target, withinMs: number): Promise<Value> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(
      () =>
        reject(new DialFailure('unreachable', 'dns_error', { host, cause: new Error('no answer in time') })),
      withinMs,
    );
    found.then(resolve, reject).finally(() => clearTimeout(late));
  });
}

/** To exactly these addresses: a name is not looked up again. */
export function connectChecked(
  { host, port, tls }: Pick<Target, 'host' | 'port' | 'tls'>,
  addresses: readonly LookupAddress[],
): Socket {
  const lookup: LookupFunction = (_, { all }, done) =>
    all ? done(null, [...addresses]) : done(null, addresses[0]!.address, addresses[0]!.family);
  const options = {
    host,
    port,
    lookup,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_AFTER_MS,
  };
  if (!tls) return connectTcp(options);
  return connectTls({
    ...options,
    servername: isIP(host) === 0 ? host : '',
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['http/1.1'],
  });
}

function connected(socket: Socket, { host, tls }: Target, withinMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    let reason = 'connect_failed';
    const fail = (why: string, cause: unknown): void => {
      clearTimeout(late);
      socket.on('error', () => undefined); // what it still has to say changes nothing
      socket.destroy();
      reject(new DialFailure('unreachable', why, { host, cause }));
    };
    const late = setTimeout(() => fail('connect_timeout', null), withinMs);
    socket.once('connect', () => {
      if (tls) reason = 'upstream_tls';
    });
    const failed = (failure: Error): void => fail(reason, failure);
    socket.once('error', failed);
    socket.once(tls ? 'secureConnect' : 'connect', () => {
      clearTimeout(late);
      socket.off('error', failed);
      resolve(socket);
    });
  });
}
