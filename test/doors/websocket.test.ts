// WebSockets through the doors, with a client and a server that people use; and frames no client sends, one by one.

import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type FrameError, frameChecker } from '../../sidecar/websocket-frames.ts';
import { REAL_KEY, type Setting, startSetting } from '../sdk/setting.ts';
import { order, until } from '../support/processes.ts';
import { converse, dial } from './wire.ts';

let setting: Setting;
let origin: Server;
let sockets: WebSocketServer;
const heads: Record<string, unknown>[] = [];
/** Requests that are no upgrade. */
let asked = 0;
let agreeLate: (() => void) | undefined;

const echo = (client: WebSocket): void => {
  client.on('message', (data, binary) => {
    if (String(data) === 'tell me') client.send(REAL_KEY);
    else client.send(data, { binary });
  });
};

beforeAll(async () => {
  origin = createServer((_, response) => {
    asked += 1;
    response.end('plain');
  });
  sockets = new WebSocketServer({ noServer: true, perMessageDeflate: true });
  origin.on('upgrade', (request, socket, head) => {
    heads.push(request.headers);
    if (request.url === '/live/plain')
      return socket.end('HTTP/1.1 200 OK\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nno');
    if (request.url === '/live/extended')
      return socket.end(
        'HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Extensions: x\r\n\r\n',
      );
    const agree = (): void => sockets.handleUpgrade(request, socket as Socket, head, echo);
    if (request.url === '/live/late') agreeLate = agree;
    else agree();
  });
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
  const port = (origin.address() as AddressInfo).port;
  setting = await startSetting(`fleet: sockets
mode: enforce
budgets: none
limits: { body: 1MB }
upstreams:
  live: { url: "http://localhost:${port}", speaks: http, credential: real }
  model: { url: "{plain}/openai", speaks: openai, credential: real }
credentials: { real: { from: env:REAL_KEY } }
roles:
  r:
    allow:
      - http WEBSOCKET http://localhost:${port}/live/**
      - http * http://localhost:${port}/**
      - llm model/*
agents: { scout: { role: r } }
`);
});
afterAll(async () => {
  await setting.stop();
  sockets.close();
  origin.closeAllConnections();
  origin.close();
});

const socketTo = (path: string): WebSocket => new WebSocket(`${setting.proxy.replace('http', 'ws')}${path}`);

const statusOf = (socket: WebSocket): Promise<{ status: number; reason: string | undefined }> =>
  new Promise((resolve) => {
    socket.on('error', () => undefined);
    socket.on('unexpected-response', (_, response) => {
      let text = '';
      response.on('data', (bytes) => {
        text += String(bytes);
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, reason: /"reason":"(\w+)"/.exec(text)?.[1] }),
      );
    });
  });

const closing = (socket: WebSocket): Promise<number> =>
  new Promise((resolve) => socket.on('close', (code) => resolve(code)));

const upgradeTo = (path: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';

describe('a WebSocket', () => {
  it('passes both ways under a rule, with the credential and without extensions, and is one call', async () => {
    const socket = socketTo('/live/live/echo');
    const upgrade = new Promise<string>((resolve) =>
      socket.on('upgrade', ({ headers }) => resolve(String(headers['x-outrider-call']))),
    );
    const heard: string[] = [];
    const all = new Promise<void>((resolve) =>
      socket.on('message', (data) => {
        heard.push(String(data).slice(0, 5));
        if (heard.length === 3) resolve();
      }),
    );
    await new Promise((resolve) => socket.once('open', resolve));
    for (const text of ['one', 'x'.repeat(70_000), 'three']) socket.send(text);
    await all;
    expect(heard).toEqual(['one', 'xxxxx', 'three']);
    expect(socket.extensions).toBe('');
    expect(heads.at(-1)).toMatchObject({ authorization: `Bearer ${REAL_KEY}` });
    expect(heads.at(-1)).not.toHaveProperty('sec-websocket-extensions');
    socket.close(1000);
    expect(await closing(socket)).toBe(1000);
    const row = await setting.rowOf({ headers: new Headers({ 'x-outrider-call': await upgrade }) });
    expect(row).toMatchObject({ status: 'success', http_status: 101, verdict: 'allow' });
    expect(row.target).toMatch(/^WEBSOCKET http:\/\/localhost:\d+\/live\/echo$/);
  });

  it('is closed with 1008 when its agent is put in quarantine, and its row says so', async () => {
    const control = setting.outrider.listen.collector!.control!;
    const socket = socketTo('/live/live/echo');
    const upgrade = new Promise<string>((resolve) =>
      socket.on('upgrade', ({ headers }) => resolve(String(headers['x-outrider-call']))),
    );
    await new Promise((resolve) => socket.once('open', resolve));
    const closed = closing(socket);
    const held = { subject: 'agent/scout', reason: 'why', for_ms: null };
    await order(control, setting.dataDirectory, '/v1/quarantine', held);
    expect(await closed).toBe(1008);
    expect(await statusOf(socketTo('/live/live/echo'))).toEqual({ status: 403, reason: 'agent' });
    const row = await setting.rowOf({ headers: new Headers({ 'x-outrider-call': await upgrade }) });
    expect(row).toMatchObject({ status: 'success', refusal: 'agent_quarantined', http_status: 101 });
    await order(control, setting.dataDirectory, '/v1/quarantine/lift', { subject: 'agent/scout' });
    await until(
      () => fetch(`${setting.proxy}/live/plain`),
      ({ status }) => status === 200,
    );
  });

  it('no other method opens it, not even any', async () => {
    expect(await statusOf(socketTo('/live/other'))).toMatchObject({ status: 403 });
  });

  it('an upstream that speaks a dialect has none', async () => {
    expect(await statusOf(socketTo('/model/v1/realtime'))).toEqual({
      status: 403,
      reason: 'unknown_endpoint',
    });
  });

  it('SMUG-29: an answer that is not 101 is an answer', async () => {
    expect(await statusOf(socketTo('/live/live/plain'))).toMatchObject({ status: 200 });
  });

  it.each([
    ['as frames', '/live/live/echo', 101],
    ['nowhere', '/live/live/plain', 200],
  ])('SMUG-28: what comes with the request goes %s, and never as a request', async (_, path, status) => {
    const upgrade =
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';
    const smuggled = 'GET /live/live/evil HTTP/1.1\r\nHost: localhost\r\n\r\n';
    const before = [asked, heads.length];
    const heard = await converse(await dial(setting.proxy), [upgrade + smuggled]);
    expect([heard.statuses, heard.closed]).toEqual([[status], true]);
    expect([asked, heads.length]).toEqual([before[0], before[1]! + 1]);
  });

  it('an extension nobody offered is no agreement', async () => {
    const socket = socketTo('/live/live/extended');
    socket.on('error', () => undefined);
    await closing(socket);
    expect(socket.readyState).toBe(WebSocket.CLOSED);
  });

  it('a secret in a message ends it', async () => {
    const socket = socketTo('/live/live/echo');
    const heard: string[] = [];
    socket.on('message', (data) => heard.push(String(data)));
    await new Promise((resolve) => socket.once('open', resolve));
    socket.send('tell me');
    await closing(socket);
    expect(heard).toEqual([]);
  });

  it('a message beyond the limit is closed with 1009, an unmasked frame with 1002', async () => {
    const large = socketTo('/live/live/echo');
    await new Promise((resolve) => large.once('open', resolve));
    large.send('x'.repeat(1_100_000));
    expect(await closing(large)).toBe(1009);

    const raw = await dial(setting.proxy);
    let heard = Buffer.alloc(0);
    raw.on('data', (bytes: Buffer) => {
      heard = Buffer.concat([heard, bytes]);
    });
    raw.write(upgradeTo('/live/live/echo'));
    await until(async () => heard.includes('101'), Boolean);
    raw.write(Buffer.from([0x81, 1, 0x41]));
    await new Promise((resolve) => raw.once('close', resolve));
    expect([...heard.subarray(-4)]).toEqual([0x88, 2, 0x03, 0xea]);
  });

  it('an agent that ends before the upgrade is answered is not waited for', async () => {
    const raw = await dial(setting.proxy);
    raw.resume().end(upgradeTo('/live/live/late'));
    await until(async () => agreeLate, Boolean);
    await (await fetch(`${setting.proxy}/live/live/echo`)).text(); // the end has come before this
    agreeLate!();
    await new Promise((resolve) => raw.once('close', resolve));
    expect(sockets.clients.size).toBe(0);
  });
});

interface FrameCase {
  readonly id: string;
  readonly masked: boolean;
  /** Of what is sent, in hex. */
  readonly bytes: string;
  readonly refused?: number;
}

const frameCases = readFileSync(new URL('../cases/websocket-frames.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as FrameCase);

describe('frames', () => {
  it.each(frameCases)('$id', ({ masked, bytes, refused }) => {
    const sent = Buffer.from(bytes.replaceAll(' ', ''), 'hex');
    for (const size of [sent.length, 1]) {
      const checker = frameChecker({ masked, messageBytesMax: 300 });
      const passed: Buffer[] = [];
      let status: number | undefined;
      try {
        for (let at = 0; at < sent.length; at += size)
          passed.push(checker.push(sent.subarray(at, at + size)));
      } catch (failure) {
        status = (failure as FrameError).status;
      }
      expect(status).toBe(refused);
      if (refused === undefined) {
        expect(Buffer.concat(passed)).toEqual(sent);
        expect(checker.between).toBe(true);
      }
    }
  });
});
