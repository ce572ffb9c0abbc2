// TLS in front of servers that speak plain text: whoever comes by it sees `https://localhost`, the server a plain
// connection. One authority signs all fronts.

import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { ServerCertificate } from './certificate.ts';

export interface TlsFront {
  /** `https://localhost:port`. */
  readonly url: string;
  /** Whom it stands in front of; until then connections are closed. */
  leadTo(url: string): void;
  close(): Promise<void>;
}

export async function startTlsFront({ certificatePem, keyPem }: ServerCertificate): Promise<TlsFront> {
  const secureContext = createSecureContext({ cert: certificatePem, key: keyPem });
  const open = new Set<Socket>();
  let port = 0;
  const server = createServer((socket) => {
    const outside = new TLSSocket(socket, { isServer: true, secureContext });
    const inside = connect(port, '127.0.0.1');
    for (const [one, other] of [
      [outside, inside],
      [inside, outside],
    ] as const) {
      open.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
      one.on('close', () => open.delete(one));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    leadTo: (url) => {
      port = Number(new URL(url).port);
    },
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
