// How one request to the SQL door is read off a real connection, before anything judges it.

import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BadRequest, type DoorRequest, readRequest } from '../../../../collector/store/embedded/request.ts';

describe('a statement in gzip', () => {
  const server = createServer();
  let port = 0;
  beforeEach(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  async function begun(bytes: Buffer, bytesAnnounced: number) {
    const client = connect(port, '127.0.0.1');
    client.write(
      `POST / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-encoding: gzip\r\ncontent-length: ${bytesAnnounced}\r\n\r\n`,
    );
    client.write(bytes);
    const [request] = (await once(server, 'request')) as [IncomingMessage];
    return { client, reading: readRequest(request) };
  }

  it('is the one that was packed', async () => {
    const packed = gzipSync('SELECT 1');
    const { client, reading } = await begun(packed, packed.length);
    expect(await reading).toMatchObject({ statement: 'SELECT 1' } satisfies Partial<DoorRequest>);
    client.destroy();
  });

  it('is given up when its sender hangs up in the middle', async () => {
    const packed = gzipSync('SELECT 1');
    const { client, reading } = await begun(packed.subarray(0, 12), packed.length);
    client.destroy();
    await expect(reading).rejects.toThrow(BadRequest);
  });
});
