// Clients that take their time, and origins that say more, less or other than they should: nobody waits for the one, and
// nobody gets the other's words.

import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Setting, startSetting } from '../sdk/setting.ts';
import { converse, dial } from './wire.ts';

let setting: Setting;
let origin: Server;
/** What the origin writes once a head has come, and as soon as a connection is there. */
let answers = '';
const connected: Socket[] = [];

beforeAll(async () => {
  origin = createServer((socket) => {
    connected.push(socket);
    socket.on('error', () => socket.destroy());
    socket.on('data', () => socket.write(answers, 'latin1'));
  });
  origin.listen(0, '127.0.0.1');
  await once(origin, 'listening');
  setting = await startSetting(`fleet: slow
mode: enforce
budgets: none
upstreams:
  odd: { url: "http://127.0.0.1:${(origin.address() as { port: number }).port}", speaks: http }
  web: { url: "{plain}", speaks: http }
roles: { r: { allow: ["http * http://127.0.0.1:${(origin.address() as { port: number }).port}/**", "http * {plain}/**"] } }
agents: { scout: { role: r } }
breakers: { min_calls: 1000 }
timeouts: { first_byte: 2s, idle: 2s }
`);
  setting.double.answer(() => ({ body: {} }));
});
afterAll(async () => {
  await setting.stop();
  for (const socket of connected) socket.destroy();
  origin.close();
});

const ask = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;

const drip = (socket: Socket, text: string, everyMs: number): NodeJS.Timeout => {
  let at = 0;
  return setInterval(() => socket.write(text[at++ % text.length]!), everyMs);
};

describe('a slow client', () => {
  it('DOS-01, DOS-02: a head or a body drop by drop is ended, while others are served', {
    timeout: 40_000,
  }, async () => {
    const head = await dial(setting.proxy);
    head.write('GET /web/x HTTP/1.1\r\nHost: localhost\r\n');
    const body = await dial(setting.proxy);
    body.write('POST /web/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n');
    const drips = [drip(head, 'X: y\r\n', 500), drip(body, 'abc', 500)];
    const heard = Promise.all(
      [head, body].map(
        (socket) =>
          new Promise<string>((resolve) => {
            socket.once('data', (bytes: Buffer) => resolve(String(bytes)));
            socket.on('error', () => resolve('closed'));
          }),
      ),
    );
    for (let i = 0; i < 20; i++)
      expect((await converse(await dial(setting.proxy), [ask('/web/fast')])).statuses).toEqual([200]);
    const [ofHead, ofBody] = await heard;
    for (const timer of drips) clearInterval(timer);
    expect(ofHead).toMatch(/^HTTP\/1\.1 408 /);
    expect(ofBody).toMatch(/^HTTP\/1\.1 408 [\s\S]*body_too_slow/);
    for (const socket of [head, body]) socket.destroy();
    expect(setting.double.received.filter(({ method }) => method === 'POST')).toEqual([]);
  });
});

describe('an odd origin', () => {
  const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

  it.each([
    [
      'SMUG-36: more bytes than one answer',
      `${OK}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`,
      [200, 502],
    ],
    [
      'SMUG-37: a length and chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      [502],
    ],
    ['SMUG-37: two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok', [502]],
    ['SMUG-37: a folded header', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok', [502]],
    ['SMUG-37: no head at all', 'hello', [502]],
    ['SMUG-38: no end of 103', 'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n'.repeat(10_000), [502]],
  ])('%s', async (_, text, allowed) => {
    answers = text;
    const first = await converse(await dial(setting.proxy), [ask('/odd/1')]);
    expect(allowed).toContain(first.statuses[0]);
    expect(first.text).not.toContain('evil');
    answers = OK;
    for (let i = 0; i < 3; i++) {
      const next = await converse(await dial(setting.proxy), [ask(`/odd/after${i}`)]);
      expect(next.statuses).toEqual([200]);
      expect(next.text).toMatch(/ok/);
      expect(next.text).not.toContain('evil');
    }
  });
});
