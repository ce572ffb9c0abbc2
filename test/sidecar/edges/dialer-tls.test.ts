// Servers that must prove by TLS to be who was asked for, anew on each connection, whatever the environment says.

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { createServer as createTlsServer, setDefaultCACertificates, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeAuthority, makeLeaf, type Pair } from '../../../sidecar/edges/certificates.ts';
import { DialFailure } from '../../../sidecar/edges/dial-failure.ts';
import { createDialer, type Target } from '../../../sidecar/edges/dialer.ts';
import { createResolver } from '../../../sidecar/edges/resolver.ts';

const dialer = createDialer({ resolver: createResolver(), ownPorts: () => new Set() });
const WITHIN_MS = 20_000;
const secure = (host: string, port: number): Target => ({ host, port, tls: true, publicOnly: false });

async function failureOf(target: Target): Promise<DialFailure> {
  const outcome = await dialer.open(target, WITHIN_MS).catch((failure: unknown) => failure);
  if (outcome instanceof DialFailure) return outcome;
  throw new Error(`${target.host} was dialled`);
}

describe('TLS', () => {
  const HOUR_MS = 3_600_000;

  const now = Date.now();
  const validity = { notBeforeMs: now - HOUR_MS * 99, notAfterMs: now + HOUR_MS };
  let trusted: Pair;
  let unknown: Pair;
  let bytes = 0;
  const servers: Server[] = [];

  beforeAll(async () => {
    trusted = await makeAuthority(validity);
    unknown = await makeAuthority(validity);
    setDefaultCACertificates([trusted.certificate]);
  });
  afterAll(() => {
    for (const one of servers) one.close();
  });

  /** A server that shows a certificate for `host`, valid until so many hours from now. */
  async function serverFor(host: string, untilHours: number, authority: Pair): Promise<number> {
    const leaf = await makeLeaf(host, authority, {
      notBeforeMs: now - 9 * HOUR_MS,
      notAfterMs: now + untilHours * HOUR_MS,
    });
    const tls = createTlsServer({ cert: leaf.certificate, key: leaf.key }, (socket) => {
      socket.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      socket.on('error', () => undefined);
    });
    tls.on('tlsClientError', () => undefined);
    servers.push(tls);
    await once(tls.listen(0, '127.0.0.1'), 'listening');
    return (tls.address() as AddressInfo).port;
  }

  it.each(['localhost', '127.0.0.1'])('that proves to be %s is taken, and never resumed', async (host) => {
    const at = await serverFor(host, 1, trusted);
    for (let i = 0; i < 2; i++) {
      const socket = (await dialer.open(secure(host, at), WITHIN_MS)) as TLSSocket;
      expect([socket.authorized, socket.isSessionReused(), socket.alpnProtocol]).toEqual([
        true,
        false,
        false,
      ]);
      socket.destroy();
    }
  });

  it.each([
    ['an unknown authority', 'localhost', 1, () => unknown, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['another host', 'other.example', 1, () => trusted, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['a wildcard', '*.localhost', 1, () => trusted, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['an address instead of the name', '127.0.0.1', 1, () => trusted, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    [
      'TLS-11: a name with a NUL',
      'localhost\0.evil.example',
      1,
      () => trusted,
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ],
    [
      'TLS-11: a NUL before the name',
      'evil.example\0.localhost',
      1,
      () => trusted,
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ],
    ['an expired certificate', 'localhost', -1, () => trusted, 'CERT_HAS_EXPIRED'],
  ])(
    'TLS-08, 10: %s is no proof, and no environment makes it one',
    async (_, host, until, authority, code) => {
      const at = await serverFor(host, until, authority());
      process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
      try {
        const failure = await failureOf(secure('localhost', at));
        expect(failure).toMatchObject({ kind: 'unreachable', reason: 'upstream_tls', cause: { code } });
        expect(bytes).toBe(0);
      } finally {
        delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      }
    },
  );

  it('TLS-12: that was proven for one name proves nothing for another at the same address', async () => {
    const at = await serverFor('localhost', 1, trusted);
    const socket = await dialer.open(secure('localhost', at), WITHIN_MS);
    expect(await failureOf(secure('127.0.0.1', at))).toMatchObject({ reason: 'upstream_tls' });
    socket.destroy();
  });

  it('is what a plain server does not speak', async () => {
    const plain = createServer((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await once(plain.listen(0, '127.0.0.1'), 'listening');
    const at = (plain.address() as AddressInfo).port;
    expect(await failureOf(secure('127.0.0.1', at))).toMatchObject({
      reason: 'upstream_tls',
    });
    plain.close();
  });
});
