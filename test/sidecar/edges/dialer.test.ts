// Who is dialled, and that it is exactly who was judged: names that answer differently each time, names with one bad
// address among good ones, names that lead in circles, our own ports.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DialFailure } from '../../../sidecar/edges/dial-failure.ts';
import { createDialer, type Dialer, type Target } from '../../../sidecar/edges/dialer.ts';
import { createResolver } from '../../../sidecar/edges/resolver.ts';
import { type Answering, type NameServer, startNameServer } from './name-server.ts';

const PUBLIC = '93.184.216.34';
const WITHIN_MS = 20_000;
const undeclared = (host: string, port = 443): Target => ({ host, port, tls: false, publicOnly: true });
const declared = (host: string, port: number, tls = false): Target => ({
  host,
  port,
  tls,
  publicOnly: false,
});

let server: Server;
let connections = 0;
let nameServer: NameServer;
let answer: Answering = () => [];

beforeAll(async () => {
  nameServer = await startNameServer((name, type) => answer(name, type));
  server = createServer((socket) => {
    connections += 1;
    socket.on('error', () => undefined);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterAll(() => {
  nameServer.close();
  server.close();
});
const port = (): number => (server.address() as AddressInfo).port;

/** A dialer whose sockets all end at our server, and which says where they would have gone. */
function watched(ownPorts: readonly number[] = []): { dialer: Dialer; dialled: string[][] } {
  const dialled: string[][] = [];
  const dialer = createDialer({
    resolver: createResolver([nameServer.address]),
    ownPorts: () => new Set(ownPorts),
    connect(_, addresses) {
      dialled.push(addresses.map(({ address }) => address));
      return connect(port(), '127.0.0.1');
    },
  });
  return { dialer, dialled };
}

const real = (): Dialer =>
  createDialer({ resolver: createResolver([nameServer.address]), ownPorts: () => new Set() });

async function failureOf(dialer: Dialer, target: Target): Promise<DialFailure> {
  const outcome = await dialer.open(target, WITHIN_MS).catch((failure: unknown) => failure);
  if (outcome instanceof DialFailure) return outcome;
  throw new Error(`${target.host} was dialled`);
}

describe('a name nobody declared', () => {
  it('that is public is dialled at exactly the addresses that were judged', async () => {
    answer = (_, type) => (type === 'A' ? [PUBLIC, '1.1.1.1'] : ['2606:4700:4700:0:0:0:0:1111']);
    const { dialer, dialled } = watched();
    (await dialer.open(undeclared('site.example'), WITHIN_MS)).destroy();
    expect(dialled).toEqual([[PUBLIC, '1.1.1.1', '2606:4700:4700::1111']]);
  });

  it.each([
    ['SSRF-21', { A: ['10.0.0.5'], AAAA: [] }, 'addr_private', '10.0.0.5'],
    ['SSRF-22', { A: ['1.2.3.4', '127.0.0.1'], AAAA: [] }, 'addr_loopback', '127.0.0.1'],
    ['SSRF-25', { A: [PUBLIC], AAAA: ['0:0:0:0:0:ffff:0a00:0005'] }, 'addr_private', '::ffff:10.0.0.5'],
    ['metadata', { A: ['169.254.169.254'], AAAA: [] }, 'addr_metadata', '169.254.169.254'],
  ])('%s: %j is %s', async (_, says, reason, address) => {
    answer = (_name, type) => says[type];
    const { dialer, dialled } = watched();
    const failure = await failureOf(dialer, undeclared('site.example'));
    expect(failure).toMatchObject({ kind: 'forbidden', reason, host: 'site.example', address });
    expect(dialled).toEqual([]);
  });

  it('SSRF-23, 24: that rebinds is asked once for every socket, and its second answer is judged too', async () => {
    let times = 0;
    answer = (_, type) => {
      if (type === 'AAAA') return [];
      times += 1;
      return times % 2 === 1 ? [PUBLIC] : ['127.0.0.1'];
    };
    const { dialer, dialled } = watched();
    const before = nameServer.asked.length;
    let forbidden = 0;
    for (let i = 0; i < 100; i++) {
      const socket = await dialer
        .open(undeclared('rebinding.example', port()), WITHIN_MS)
        .catch((failure) => {
          expect(failure).toMatchObject({ reason: 'addr_loopback' });
          forbidden += 1;
        });
      socket?.destroy();
    }
    expect(nameServer.asked.slice(before).filter((line) => line === 'rebinding.example A')).toHaveLength(100);
    expect(dialled).toEqual(new Array(50).fill([PUBLIC]));
    expect(forbidden).toBe(50);
  });

  it('SSRF-26: that is another name for a private one is as private', async () => {
    answer = (_, type) => (type === 'A' ? ['CNAME internal.corp', '10.0.0.5'] : []);
    const { dialer, dialled } = watched();
    const failure = await failureOf(dialer, undeclared('allowed.example'));
    expect(failure).toMatchObject({ kind: 'forbidden', reason: 'addr_private', address: '10.0.0.5' });
    expect(dialled).toEqual([]);
  });

  it('SSRF-34, 35: with 300 addresses gives 16; one without any, in a circle, or unanswered, none', async () => {
    const { dialer, dialled } = watched();
    answer = (_, type) =>
      type === 'A' ? Array.from({ length: 300 }, (_v, i) => `93.184.${i >> 8}.${i & 0xff}`) : [];
    (await dialer.open(undeclared('many.example'), WITHIN_MS)).destroy();
    expect(dialled[0]).toHaveLength(16);
    const circle = Array.from({ length: 20 }, (_, at) => `CNAME ${at === 19 ? 'gone' : `c${at}`}.example`);
    for (const said of [[], circle, 'SERVFAIL', 'silence'] as const) {
      answer = () => said;
      const failure = await failureOf(dialer, undeclared('gone.example'));
      expect(failure).toMatchObject({ kind: 'unreachable', reason: 'dns_error' });
    }
    expect(dialled).toHaveLength(1);
  });

  it.each(['localhost', 'localhost.', 'foo.localhost', 'ip6-localhost'])(
    'SSRF-29: %s is nobody’s',
    async (host) => {
      const { dialer } = watched();
      expect(await failureOf(dialer, undeclared(host))).toMatchObject({ reason: 'addr_loopback' });
    },
  );

  it.each([
    '127.1',
    '0x7f.1',
    '2130706433',
    '0x7f000001',
    '1.2.3.0x4',
    '[::1]',
    'a b',
    '',
    'fe80::1%eth0',
    'é.example',
  ])('SSRF-04, 20: %j is asked of no name server, and dialled by no one', async (host) => {
    const before = nameServer.asked.length;
    for (const target of [undeclared(host), declared(host, 443)]) {
      const { dialer } = watched();
      expect(await failureOf(dialer, target)).toMatchObject({ kind: 'forbidden', reason: 'bad_host' });
    }
    expect(nameServer.asked.length).toBe(before);
  });

  it('SSRF-37: is asked of DNS alone, whatever /etc/hosts says of it', async () => {
    const lines = readFileSync('/etc/hosts', 'utf8').split('\n');
    const names = lines.flatMap((line) => line.replace(/#.*/, '').trim().split(/\s+/).slice(1));
    const host = names.find((name) => /^[a-z][a-z0-9-]*$/.test(name) && name !== 'localhost')!;
    answer = (_, type) => (type === 'A' ? [PUBLIC] : []);
    const found = await createResolver([nameServer.address]).published(host);
    expect(found).toEqual([{ address: PUBLIC, family: 4 }]);
    expect(await createResolver().known(host)).not.toEqual(found);
  });

  it('SSRF-36: is a full name: no search domain is tried', async () => {
    answer = () => [];
    const before = nameServer.asked.length;
    await failureOf(watched().dialer, undeclared('api'));
    expect(new Set(nameServer.asked.slice(before))).toEqual(new Set(['api A', 'api AAAA']));
  });
});

describe('what an operator declared', () => {
  it('may be private or loopback, by any name this machine knows', async () => {
    const before = connections;
    for (const host of ['127.0.0.1', 'localhost']) {
      const socket = await real().open(declared(host, port()), WITHIN_MS);
      expect(socket.remoteAddress).toMatch(/127\.0\.0\.1$/);
      socket.destroy();
    }
    await expect.poll(() => connections).toBe(before + 2);
    const { dialer, dialled } = watched();
    (await dialer.open(declared('10.1.2.3', 8443), WITHIN_MS)).destroy();
    expect(dialled).toEqual([['10.1.2.3']]);
  });

  it.each([
    '169.254.169.254',
    'fd00:ec2::254',
    '100.100.100.200',
    '168.63.129.16',
    'metadata.google.internal',
  ])('SSRF-07, 38: but never %s', async (host) => {
    const { dialer } = watched();
    expect(await failureOf(dialer, declared(host, 80))).toMatchObject({
      kind: 'forbidden',
      reason: 'addr_metadata',
    });
  });

  it('SSRF-30: nor ourselves, by any address of this machine', async () => {
    const { dialer } = watched([4320]);
    const own = Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address) ?? []);
    for (const host of ['127.0.0.1', '127.9.9.9', '0.0.0.0', '::1', 'localhost', ...own])
      expect(await failureOf(dialer, declared(host, 4320)), host).toMatchObject({ reason: 'self_connect' });
    (await dialer.open(declared('127.0.0.1', 4330), WITHIN_MS)).destroy();
  });

  it('that refuses is unreachable', async () => {
    expect(await failureOf(real(), declared('127.0.0.1', 1))).toMatchObject({
      kind: 'unreachable',
      reason: 'connect_failed',
      cause: { code: 'ECONNREFUSED' },
    });
  });
});
