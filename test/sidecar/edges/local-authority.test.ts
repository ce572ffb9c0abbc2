// The local authority as TLS clients and other processes meet it: one per folder however many make it at once, leafs
// that stock verification accepts for their host and for no other.

import { spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import {
  checkServerIdentity,
  connect,
  createServer,
  type PeerCertificate,
  type SecureContext,
} from 'node:tls';
import { describe, expect, it } from 'vitest';
import { createLocalAuthority, UnfitHost } from '../../../sidecar/edges/local-authority.ts';
import { temporaryDirectory } from '../../support/processes.ts';

const MODULE = new URL('../../../sidecar/edges/local-authority.ts', import.meta.url).href;
const HOUR_MS = 3_600_000;
const folder = (): string => join(temporaryDirectory('authority'), 'ca');
const authorityIn = (directory: string, nowMs: () => number = Date.now) =>
  createLocalAuthority({ directory, nowMs });

/** What a stock client sees that trusts `ca` alone and asks for `host`. Rejects where it does not verify. */
async function visit(context: SecureContext, ca: string, host: string): Promise<PeerCertificate> {
  const server = createServer({ SNICallback: (_, done) => done(null, context) });
  server.on('tlsClientError', () => undefined); // the client says why
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const bare = host.replace(/^\[|\]$/g, '');
  const socket = connect({
    host: '127.0.0.1',
    port,
    ca,
    servername: 'a.example',
    checkServerIdentity: (_, certificate) => checkServerIdentity(bare, certificate),
  });
  try {
    await once(socket, 'secureConnect');
    return socket.getPeerCertificate();
  } finally {
    socket.destroy();
    server.close();
  }
}

describe('the authority', () => {
  it('TLS-14: signs servers and nothing else, with a key that only its owner reads', async () => {
    const directory = folder();
    const pem = await authorityIn(directory).certificatePem();
    const certificate = new X509Certificate(pem);
    expect(certificate.ca).toBe(true);
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']); // extended: server authentication only
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    const pathLengthZero = Buffer.from('30060101ff020100', 'hex');
    expect(certificate.raw.includes(pathLengthZero)).toBe(true);
    const keyUsageCertSign = Buffer.from('0603551d0f0101ff040403020204', 'hex');
    expect(certificate.raw.includes(keyUsageCertSign)).toBe(true);
    expect(certificate.validToDate.getTime() - Date.now()).toBeLessThan(10 * 365 * 24 * HOUR_MS);
    expect(statSync(join(directory, 'ca.key')).mode & 0o777).toBe(0o600);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
  });

  it('is one, however many processes make it at once', async () => {
    const directory = folder();
    const program = `const { createLocalAuthority } = await import(${JSON.stringify(MODULE)});
      process.stdout.write(await createLocalAuthority({ directory: process.argv[1], nowMs: Date.now }).certificatePem());`;
    const outputs = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const child = spawn(process.execPath, ['--input-type=module', '-e', program, directory], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        let output = '';
        child.stdout.on('data', (text) => {
          output += String(text);
        });
        await once(child, 'close');
        return output;
      }),
    );
    expect(new Set(outputs)).toEqual(new Set([readFileSync(join(directory, 'ca.pem'), 'utf8')]));
    expect(readdirSync(dirname(directory))).toEqual(['ca']);
  });

  it('is kept', async () => {
    const directory = folder();
    const first = await authorityIn(directory).certificatePem();
    expect(await authorityIn(directory).certificatePem()).toBe(first);
  });

  it('is not used when others could read its key, when half of it is gone, or near its end', async () => {
    const directory = folder();
    await authorityIn(directory).certificatePem();
    const inSixYears = () => Date.now() + 6 * 365 * 24 * HOUR_MS;
    await expect(authorityIn(directory, inSixYears).certificatePem()).rejects.toThrow(/expires at .*remove/);
    chmodSync(join(directory, 'ca.key'), 0o640);
    await expect(authorityIn(directory).certificatePem()).rejects.toThrow(/others may read ca\.key/);
    rmSync(join(directory, 'ca.key'));
    await expect(authorityIn(directory).certificatePem()).rejects.toThrow(/holds no ca\.key/);
    rmSync(join(directory, 'ca.pem'));
    await authorityIn(directory).certificatePem(); // an empty folder is as good as none
  });
});

describe('a leaf', () => {
  const directory = folder();
  const authority = authorityIn(directory);

  it.each([
    'api.example.com',
    'localhost',
    '127.0.0.1',
    '::1',
    '[2001:db8::1]',
    `${'a'.repeat(63)}.${'b'.repeat(63)}.example`,
  ])('for %s verifies there and nowhere else, within a day', async (host) => {
    const ca = await authority.certificatePem();
    const context = await authority.leafFor(host);
    const { valid_from, valid_to, ext_key_usage } = await visit(context, ca, host);
    const [from, to] = [Date.parse(valid_from), Date.parse(valid_to)];
    expect(to - from).toBeLessThanOrEqual(24 * HOUR_MS);
    expect(from).toBeLessThan(Date.now());
    expect(ext_key_usage).toEqual(['1.3.6.1.5.5.7.3.1']);
    await expect(visit(context, ca, 'b.example')).rejects.toThrow(/does not match certificate/);
    const other = await authorityIn(folder()).certificatePem();
    await expect(visit(context, other, host)).rejects.toThrow(/issuer|verify|signature/i);
  });

  it('is minted once for those who ask at once, and anew before it ends', async () => {
    let now = Date.now();
    const own = authorityIn(directory, () => now);
    const [one, two] = await Promise.all([own.leafFor('a.example'), own.leafFor('a.example')]);
    expect(one).toBe(two);
    now += 21 * HOUR_MS;
    expect(await own.leafFor('a.example')).toBe(one);
    now += 2 * HOUR_MS;
    expect(await own.leafFor('a.example')).not.toBe(one);
  });

  it('is forgotten when 256 others were used since', async () => {
    const own = authorityIn(directory);
    const first = await own.leafFor('first.example');
    const second = await own.leafFor('second.example');
    for (let i = 0; i < 254; i++) await own.leafFor(`h${i}.example`);
    expect(await own.leafFor('first.example')).toBe(first);
    await own.leafFor('one-more.example');
    expect(await own.leafFor('first.example')).toBe(first);
    expect(await own.leafFor('second.example')).not.toBe(second);
  });

  it.each([
    '',
    '*.evil.example',
    'a b',
    'a\0b',
    'Good.example',
    'good.example.',
    'a..b',
    '-a.b',
    'fe80::1%eth0',
    'é.example',
    `${'a'.repeat(64)}.b`,
    'a/b',
    '[a]',
    `${'a.'.repeat(130)}b`,
  ])('is not minted for %j, and no authority is made for it', async (host) => {
    const unused = folder();
    await expect(authorityIn(unused).leafFor(host)).rejects.toThrow(UnfitHost);
    expect(existsSync(unused)).toBe(false);
  });
});
