import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { listenOn, PortUnavailable, splitAddress } from '../../kit/listen.ts';

test('port 0 picks a free one and says which', async () => {
  const server = createServer();
  const opened = await listenOn(server, '127.0.0.1:0', 'listen.otlp');
  expect(opened.port).toBeGreaterThan(0);
  expect(opened.url).toBe(`http://127.0.0.1:${opened.port}`);
  server.close();
});

test('a taken port names the key to change', async () => {
  const first = createServer();
  const { port } = await listenOn(first, '127.0.0.1:0', 'listen.otlp');
  const refusal = await listenOn(createServer(), `127.0.0.1:${port}`, 'listen.control').catch(
    (e: unknown) => e,
  );
  expect(refusal).toBeInstanceOf(PortUnavailable);
  expect((refusal as PortUnavailable).message).toContain('listen.control');
  first.close();
});

test('addresses: IPv6 in brackets, and what is none', () => {
  expect(splitAddress('[::1]:80', 'k')).toEqual({ host: '::1', port: 80 });
  for (const wrong of ['', '4320', '127.0.0.1', '127.0.0.1:99999', '::1:80', 'a:b', 'host:-1']) {
    expect(() => splitAddress(wrong, 'listen.sql')).toThrow('listen.sql');
  }
});

const KERNEL_LIMIT = '/proc/sys/net/core/somaxconn';
const COMING = 1_000;

test('a thousand connections get in while the listener is too busy to take one', async ({ skip }) => {
  const kernelLets = existsSync(KERNEL_LIMIT) ? Number(readFileSync(KERNEL_LIMIT, 'utf8')) : 0;
  skip(
    kernelLets < COMING,
    `this kernel lets ${kernelLets || 'nobody knows how many'} wait, whatever a program asks for`,
  );
  const listen = new URL('../../kit/listen.ts', import.meta.url).href;
  const busy = new Worker(
    `const { parentPort } = require('node:worker_threads');
       import(${JSON.stringify(listen)}).then(async ({ listenOn }) => {
         const { port } = await listenOn(require('node:http').createServer(), '127.0.0.1:0', 'listen.otlp');
         parentPort.postMessage(port);
         Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
       });`,
    { eval: true },
  );
  const port = await new Promise<number>((resolve) => void busy.once('message', resolve));
  const sockets: Socket[] = [];
  const connected = Array.from({ length: COMING }, () => {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    return new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
  });
  await Promise.all(connected);
  for (const socket of sockets) socket.destroy();
  await busy.terminate();
});
