// Tunnels under a connect rule, and the TLS that agents begin in all others: whose certificate they get, whom they may
// say they want, and what is closed with a record.

import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Setting, startSetting } from '../sdk/setting.ts';
import { order, runProgram, until } from '../support/processes.ts';
import { converse, dial, insideOf, localAuthority, tunnelTo } from './wire.ts';

let setting: Setting;
let echo: Server;
let port: number;
let authority: string;
let tls: string;
/** Who connected to the far end. */
const arrived: Socket[] = [];

beforeAll(async () => {
  echo = createServer({ allowHalfOpen: true }, (socket) => {
    arrived.push(socket);
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  port = (echo.address() as { port: number }).port;
  setting = await startSetting(`fleet: tunnels
mode: enforce
budgets: none
upstreams:
  db: { url: "http://127.0.0.1:${port}", speaks: http }
  web: { url: "{tls}", speaks: http }
  plain: { url: "{plain}", speaks: http }
prohibited: [connect 127.0.0.1:25]
roles:
  r:
    allow: [connect 127.0.0.1:${port}, connect 127.0.0.2:${port}, "http GET {tls}/**", "http GET {plain}/**"]
    deny: [connect denied.example:443]
    ask: [connect asked.example:443]
agents: { scout: { role: r } }
timeouts: { connect: 10s, idle: 4s }
`);
  setting.double.answer(() => ({ body: {} }));
  authority = await localAuthority(setting);
  tls = new URL(setting.double.tlsUrl).host;
});
afterAll(async () => {
  await setting.stop();
  for (const socket of arrived) socket.destroy();
  echo.close();
});

interface Row {
  readonly target: string;
  readonly status: string;
  readonly refusal: string;
  readonly http_status: number;
}

const rowsTo = (target: string, count: number): Promise<Row[]> =>
  until(
    () => setting.query<Row>(`SELECT * FROM actions WHERE target LIKE '${target}' ORDER BY timestamp`),
    (found) => found.length >= count,
  );

/** The refusal's reason, as the span of a CONNECT has it. */
const reasons = (): Promise<string[]> =>
  setting
    .query<{ reason: string }>(
      `SELECT SpanAttributes['outrider.refusal.reason'] AS reason FROM otel_traces
       WHERE SpanAttributes['http.request.method'] = 'CONNECT' ORDER BY Timestamp`,
    )
    .then((rows) => rows.map(({ reason }) => reason));

const recorded = (reason: string): Promise<string[]> => until(reasons, (found) => found.includes(reason));

describe('a tunnel', () => {
  it('carries bytes unread, both ways and half-closed, and is one call', async () => {
    const socket = await tunnelTo(setting.proxy, `127.0.0.1:${port}`);
    const heard = converse(socket, []);
    socket.write(Buffer.from([0, 1, 2, 0x16]));
    socket.end('SELECT 1;');
    expect((await heard).text).toBe('\0\x01\x02\x16SELECT 1;');
    expect(await rowsTo(`127.0.0.1:${port}`, 1)).toMatchObject([
      { status: 'success', http_status: 200, refusal: '', upstream: 'db', verdict: 'allow' },
    ]);
  });

  it('nobody speaks for the idle time: closed', async () => {
    const socket = await tunnelTo(setting.proxy, `127.0.0.1:${port}`);
    expect((await converse(socket, [])).closed).toBe(true);
    expect((await rowsTo(`127.0.0.1:${port}`, 2))[1]).toMatchObject({ status: 'success' });
  });

  it.each([
    ['denied', 'denied.example:443', 403, 'out_of_scope'],
    ['asked', 'asked.example:443', 403, 'approval_needed'],
    ['prohibited', '127.0.0.1:25', 403, 'prohibited'],
    ['to a private address that no upstream declares', 'PRIVATE', 403, 'destination_forbidden'],
  ])('%s', async (_, place, status, code) => {
    const target = place === 'PRIVATE' ? `127.0.0.2:${port}` : place;
    const head = `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`;
    const before = arrived.length;
    const heard = await converse(await dial(setting.proxy), [head]);
    expect(heard.statuses).toEqual([status]);
    expect(heard.text).toContain(`x-outrider-refusal: ${code}`);
    expect(arrived).toHaveLength(before);
    expect((await rowsTo(target, 1))[0]).toMatchObject({ refusal: code });
  });

  it('DOS-03: so many at a time', async () => {
    const open: Socket[] = [];
    try {
      for (let i = 0; i < 256; i++) open.push(await tunnelTo(setting.proxy, `127.0.0.1:${port}`));
      const target = `127.0.0.1:${port}`;
      const heard = await converse(await dial(setting.proxy), [
        `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`,
      ]);
      // some of the first may have been idle for so long that they are closed: then there is room again
      expect([[429], [200]]).toContainEqual(heard.statuses);
      if (heard.statuses[0] === 429) expect(heard.text).toMatch(/retry-after: 1\r\n/);
      else expect(open.some(({ destroyed, readableEnded }) => destroyed || readableEnded)).toBe(true);
    } finally {
      for (const socket of open) socket.destroy();
    }
  });
});

const closedBy = async (socket: TLSSocket): Promise<string> => {
  const [failure] = (await once(socket, 'error')) as [Error & { code?: string }];
  return failure.code ?? failure.message;
};

const tlsIn = async (options: object): Promise<TLSSocket> =>
  connectTls({ socket: await tunnelTo(setting.proxy, tls), ca: authority, ...options });

/** A real ClientHello for the name `localhost`, as bytes. */
function clientHello(): Promise<Buffer> {
  return new Promise((resolve) => {
    const wire = new Duplex({
      read: () => undefined,
      write: (bytes: Buffer, _, done) => {
        resolve(bytes);
        done();
      },
    });
    connectTls({ socket: wire, servername: 'localhost' }).on('error', () => undefined);
  });
}

describe('TLS inside a CONNECT', () => {
  it('TLS-01: no server name: the certificate of the host of the CONNECT', async () => {
    const socket = await tlsIn({ servername: '', checkServerIdentity: () => undefined });
    await once(socket, 'secureConnect');
    expect(socket.getPeerCertificate().subjectaltname).toBe('DNS:localhost');
    const [, issuer] = [socket, socket.getPeerCertificate(true).issuerCertificate];
    expect(issuer.fingerprint256).toBeTruthy();
    socket.destroy();
  });

  it('AUTH-06: another server name is closed and recorded', async () => {
    const before = setting.double.received.length;
    expect(await closedBy(await tlsIn({ servername: 'evil.com' }))).toMatch(/ECONNRESET|ALERT/);
    expect(await recorded('sni_mismatch')).toContain('sni_mismatch');
    expect(setting.double.received).toHaveLength(before);
  });

  it.each(['LOCALHOST', 'LocalHost'])('TLS-02: %s is the same name', async (name) => {
    const hello = Buffer.from((await clientHello()).toString('latin1').replace('localhost', name), 'latin1');
    const socket = await tunnelTo(setting.proxy, tls);
    const [answer] = await new Promise<[Buffer]>((resolve) => {
      socket.once('data', (bytes: Buffer) => resolve([bytes]));
      socket.write(hello);
    });
    expect(answer[0]).toBe(0x16);
    socket.destroy();
  });

  it.each(['loc lhost', 'loc\0lhost', '*.evil.ex', '\xd0\xb0\xd0\xb0\xd0\xb0loc', 'localhos.'])(
    'TLS-03: %j gets no certificate',
    async (name) => {
      const hello = Buffer.from(
        (await clientHello()).toString('latin1').replace('localhost', name),
        'latin1',
      );
      const { text, closed } = await converse(await tunnelTo(setting.proxy, tls), [hello]);
      expect(closed).toBe(true);
      expect(text === '' || text.charCodeAt(0) === 0x15).toBe(true);
    },
  );

  it('TLS-04: h2 alone is refused, http/1.1 is chosen, none is fine', async () => {
    expect(await closedBy(await tlsIn({ servername: 'localhost', ALPNProtocols: ['h2'] }))).toContain(
      'NO_APPLICATION_PROTOCOL',
    );
    for (const [offered, chosen] of [
      [['h2', 'http/1.1'], 'http/1.1'],
      [undefined, false],
    ] as const) {
      const socket = await tlsIn({ servername: 'localhost', ...(offered && { ALPNProtocols: offered }) });
      await once(socket, 'secureConnect');
      expect(socket.alpnProtocol).toBe(chosen);
      socket.destroy();
    }
  });

  it('TLS-05: TLS 1.1 is refused', async () => {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    expect(await closedBy(await tlsIn({ servername: 'localhost', ...old }))).toMatch(
      /PROTOCOL|VERSION|RESET/,
    );
  });

  it('TLS-06: a ClientHello byte by byte is read, one of 64 KiB is closed', async () => {
    const hello = await clientHello();
    const socket = await tunnelTo(setting.proxy, tls);
    const first = new Promise<number>((resolve) =>
      socket.once('data', (bytes: Buffer) => resolve(bytes[0]!)),
    );
    for (const byte of hello) {
      socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await first).toBe(0x16);
    socket.destroy();
    const large = Buffer.concat([Buffer.from([0x16, 3, 1, 0xff, 0xff]), Buffer.alloc(0xffff, 1)]);
    expect((await converse(await tunnelTo(setting.proxy, tls), [large])).closed).toBe(true);
  });

  it('AUTH-25: what is not TLS is closed and recorded', async () => {
    for (const text of ['\x00\x01\x02', '\x80\x2e\x01']) {
      const heard = await converse(await tunnelTo(setting.proxy, tls), [text]);
      expect([heard.text, heard.closed]).toEqual(['', true]);
    }
    for (const text of ['SSH-2.0-OpenSSH_9\r\n', 'EHLO me\r\n'])
      expect((await converse(await tunnelTo(setting.proxy, tls), [text])).statuses).toEqual([400]);
    expect(await recorded('not_tls')).toContain('not_tls');
  });

  it('a client that does not trust the authority is recorded as such', async () => {
    const args = ['-sS', '-m', '10', '--noproxy', '', '-x', setting.proxy, `${setting.double.tlsUrl}/x`];
    expect((await runProgram('curl', args, { PATH: process.env.PATH })).code).toBe(60);
    expect(await recorded('ca_not_trusted')).toContain('ca_not_trusted');
  });

  it('DOS-13: nothing said, or half a handshake: closed after 5 s', async () => {
    const hello = await clientHello();
    const [silent, half] = await Promise.all([
      converse(await tunnelTo(setting.proxy, tls), []),
      converse(await tunnelTo(setting.proxy, tls), [hello.subarray(0, 50)]),
    ]);
    expect([silent.closed, half.closed]).toEqual([true, true]);
    expect(await recorded('handshake_timeout')).toContain('handshake_timeout');
  });

  it('after all of that a request passes, and no call is in flight', async () => {
    const socket = await insideOf(setting.proxy, tls, { ca: authority });
    const heard = await converse(socket, [`GET /x HTTP/1.1\r\nHost: ${tls}\r\nConnection: close\r\n\r\n`]);
    expect(heard.statuses).toEqual([200]);
  });
});

describe('a tunnel under way', () => {
  it('is closed when where it leads is put in quarantine', async () => {
    const control = setting.outrider.listen.collector!.control!;
    const socket = await tunnelTo(setting.proxy, `127.0.0.1:${port}`);
    const heard = converse(socket, []);
    const held = { subject: 'upstream/db', reason: 'why', for_ms: null };
    await order(control, setting.dataDirectory, '/v1/quarantine', held);
    expect((await heard).closed).toBe(true);
    const stopped = ({ refusal }: Row): boolean => refusal === 'agent_quarantined';
    const rows = await until(
      () => rowsTo(`127.0.0.1:${port}`, 1),
      (found) => found.some(stopped),
    );
    expect(rows.find(stopped)).toMatchObject({ status: 'success' });
    await order(control, setting.dataDirectory, '/v1/quarantine/lift', { subject: 'upstream/db' });
  });
});
