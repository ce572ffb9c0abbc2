// Bytes as they stand, to any of the doors, on a connection of their own; and everything that comes back.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { Setting } from '../sdk/setting.ts';

const PATIENCE_MS = 8_000;

export interface Heard {
  readonly text: string;
  /** Of all answers, in order. */
  readonly statuses: readonly number[];
  /** Whether the other side closed, before our patience ended. */
  readonly closed: boolean;
}

export async function dial(proxy: string): Promise<Socket> {
  const { hostname, port } = new URL(proxy);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  return socket;
}

/** A connection on which a CONNECT was answered with 200. */
export async function tunnelTo(proxy: string, authority: string, headers = ''): Promise<Socket> {
  const socket = await dial(proxy);
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${headers}\r\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  if (!/^HTTP\/1\.1 200 [^\r\n]*\r\n\r\n$/.test(String(answer))) throw new Error(String(answer));
  return socket;
}

/** The same, with TLS begun inside; rejects as the handshake fails. */
export async function insideOf(
  proxy: string,
  authority: string,
  options: ConnectionOptions = {},
): Promise<Socket> {
  const socket = await tunnelTo(proxy, authority);
  const secure = connectTls({ socket, servername: authority.replace(/:\d+$/, ''), ...options });
  await once(secure, 'secureConnect');
  return secure;
}

/** Writes the pieces one after another and listens until the other side closes. */
export async function converse(socket: Socket, pieces: readonly (string | Buffer)[]): Promise<Heard> {
  let text = '';
  let closed = false;
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1');
  });
  socket.on('error', () => {
    closed = true;
  });
  for (const piece of pieces) {
    socket.write(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const late = setTimeout(() => socket.destroy(), PATIENCE_MS);
  socket.once('end', () => {
    closed = true;
    socket.end();
  });
  await new Promise((resolve) => socket.once('close', resolve));
  clearTimeout(late);
  const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
  return { text, statuses, closed };
}

/** The local authority's certificate, which a first interception makes. */
export async function localAuthority({ proxy, double, dataDirectory }: Setting): Promise<string> {
  const { host } = new URL(double.tlsUrl);
  (await insideOf(proxy, host, { rejectUnauthorized: false })).destroy();
  return readFileSync(join(dataDirectory, 'ca', 'ca.pem'), 'utf8');
}
