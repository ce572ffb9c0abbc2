// Connections that are kept: what a server writes when nobody asked is no answer to anybody, a flood of 1xx answers ends,
// and two credentials never share a socket.

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Timeouts } from '../../../contract/config/config.ts';
import type { Answer, Outbound } from '../../../sidecar/call.ts';
import { createDialer } from '../../../sidecar/edges/dialer.ts';
import { createResolver } from '../../../sidecar/edges/resolver.ts';
import { createUpstreams } from '../../../sidecar/edges/upstreams.ts';

const TIMEOUTS: Timeouts = { connectMs: 5_000, firstByteMs: 20_000, idleMs: 20_000, totalMs: 30_000 };
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n';
const POISON = `${OK}evil`;

const upstreams = createUpstreams(createDialer({ resolver: createResolver(), ownPorts: () => new Set() }));
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Its `asked` runs for every piece a client writes, with the number of its connection. */
async function serving(
  asked: (socket: Socket, connection: number, request: string) => void,
): Promise<{ origin: string; connections(): number }> {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    const connection = connections;
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => asked(socket, connection, bytes.toString('latin1')));
  });
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
  };
}

const outbound = (origin: string, path: string, credential = ''): Outbound => ({
  origin,
  path,
  method: 'GET',
  headers: ['host', new URL(origin).host],
  body: null,
  secret: null,
  dropUsageChunk: false,
  publicOnly: false,
  becomes: null,
  credential,
});

async function ask(origin: string, path: string, credential?: string): Promise<string> {
  const answer: Answer = await upstreams.send(outbound(origin, path, credential), TIMEOUTS, () => undefined);
  let text = '';
  return new Promise((resolve, reject) => {
    answer.listen({
      data: (chunk) => {
        text += chunk.toString('latin1');
      },
      end: () => setImmediate(() => resolve(text)), // then the connection is free again
      failed: reject,
    });
  });
}

describe('a kept connection', () => {
  it('TLS-13: is used again for the same credential, and never for another', async () => {
    const { origin, connections } = await serving((socket, connection) =>
      socket.write(`${OK}no ${connection}`),
    );
    expect(await ask(origin, '/', 'one')).toBe('no 1');
    expect(await ask(origin, '/', 'one')).toBe('no 1');
    expect(await ask(origin, '/', 'two')).toBe('no 2');
    expect(await ask(origin, '/')).toBe('no 3');
    expect(connections()).toBe(3);
  });

  it('SMUG-36: on which more than the answer came is dropped', async () => {
    const { origin } = await serving((socket, _, request) =>
      socket.write(request.startsWith('GET /first') ? `${OK}mine${POISON}` : `${OK}ours`),
    );
    expect(await ask(origin, '/first').catch(() => 'mine')).toBe('mine');
    for (let i = 0; i < 5; i++) expect(await ask(origin, '/next')).toBe('ours');
  });

  it('SMUG-36: on which something comes while nobody asks is closed', async () => {
    const sockets: Socket[] = [];
    const { origin } = await serving((socket, connection) => {
      sockets.push(socket);
      socket.write(`${OK}no ${connection}`);
    });
    expect(await ask(origin, '/')).toBe('no 1');
    sockets[0]!.write(POISON);
    await once(sockets[0]!, 'close');
    expect(await ask(origin, '/')).toBe('no 2');
  });
});

describe('an answer', () => {
  it.each([
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\nevil!'],
    [
      'length and chunks',
      'HTTP/1.1 200 OK\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a folded header', 'HTTP/1.1 200 OK\r\nx-a: b\r\n c\r\ncontent-length: 4\r\n\r\nevil'],
    ['no head at all', 'evil'],
    [
      'headers of 80 KiB',
      `HTTP/1.1 200 OK\r\nx-a: ${'a'.repeat(80 * 1024)}\r\ncontent-length: 4\r\n\r\nevil`,
    ],
    ['a hundred 1xx heads', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(100)],
  ])('SMUG-37: with %s is none', async (_, bytes) => {
    const { origin } = await serving((socket) => socket.write(bytes));
    await expect(ask(origin, '/')).rejects.toMatchObject({ name: 'SendFailure', kind: 'broken', sent: true });
  });

  it('may come after a few 1xx heads', async () => {
    const early = 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'.repeat(3);
    const { origin } = await serving((socket) => socket.write(`${early}${OK}fine`));
    expect(await ask(origin, '/')).toBe('fine');
  });
});

describe('a call that waits for its connection', () => {
  const waiting = createUpstreams({
    ...createDialer({ resolver: createResolver(), ownPorts: () => new Set() }),
    open: () => new Promise(() => undefined),
  });

  it('ends when its time is over, and nothing of it was sent', async () => {
    const sending = waiting.send(
      outbound('http://127.0.0.1:9', '/'),
      { ...TIMEOUTS, totalMs: 1 },
      () => undefined,
    );
    await expect(sending).rejects.toMatchObject({ name: 'SendFailure', kind: 'timeout', sent: false });
  });

  it('ends when its agent leaves', async () => {
    let abort: (reason: Error) => void = () => undefined;
    const sending = waiting.send(outbound('http://127.0.0.1:9', '/'), TIMEOUTS, (means) => {
      abort = means;
    });
    abort(new Error('the agent hung up'));
    await expect(sending).rejects.toMatchObject({ name: 'SendFailure', kind: 'aborted', sent: false });
  });
});
