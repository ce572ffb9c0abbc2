// More than there is room for: a sidecar with little memory and few file descriptors, whose agent sends what takes much of
// both, and an origin that sends more than anybody reads. It sheds what it cannot take, and goes on.

import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Started, startOutrider, temporaryDirectory, until, writeConfig } from '../support/processes.ts';
import { converse, dial } from './wire.ts';

const MIB = 1024 * 1024;
const HEAP_MIB = 128;
const DESCRIPTORS = 128;
const OUTRIDER = new URL('../../bin/outrider.js', import.meta.url).pathname;

let origin: Server;
let sidecar: Started;
/** What the origin does with a connection on which a whole head has come. */
let serve: (socket: Socket, head: string) => void;
const sockets = new Set<Socket>();

beforeAll(async () => {
  origin = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    socket.once('data', (bytes: Buffer) => serve(socket, bytes.toString('latin1')));
  });
  await once(origin.listen(0, '127.0.0.1'), 'listening');
  const { port } = origin.address() as { port: number };
  const directory = temporaryDirectory('floods');
  const config = writeConfig(
    directory,
    `fleet: floods
mode: observe
budgets: none
upstreams: { llm: { url: "http://127.0.0.1:${port}", speaks: openai } }
roles: { r: { allow: [llm llm/*] } }
agents: { scout: { role: r } }
prices: { llm/*: free }
breakers: { min_calls: 1000 }
listen: { proxy: 127.0.0.1:0, admin: 127.0.0.1:0 }
`,
  );
  const script = join(directory, 'small.sh');
  writeFileSync(script, `ulimit -n ${DESCRIPTORS}\nexec "${process.execPath}" "$@"\n`);
  const args = ['sidecar', '--config', config, '--data', join(directory, 'data'), '--agent', 'scout'];
  sidecar = await startOutrider([OUTRIDER, ...args, '--collector', 'http://127.0.0.1:1'], {
    ready: 1,
    program: ['/bin/sh', script],
    env: { NODE_OPTIONS: `--max-old-space-size=${HEAP_MIB}` },
  });
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await sidecar.kill('SIGTERM');
  origin.close();
});

const proxy = (): string => sidecar.listen.sidecar!.proxy!;

const ask = (body: string): string =>
  `POST /llm/v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const CHAT = '{"model":"m","stream":true,"max_tokens":9,"messages":[]}';
const STREAM = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n';
const WHOLE =
  'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}';

async function residentBytes(): Promise<number> {
  const text = await (await fetch(`${sidecar.listen.sidecar!.admin}/metrics`)).text();
  return Number(/^process_resident_memory_bytes(?:\{[^}]*\})? (\S+)$/m.exec(text)![1]);
}

/** Writes so many bytes after the head, as fast as they are taken. */
function pour(socket: Socket, first: string, total: number): void {
  const piece = Buffer.alloc(64 * 1024, 'x');
  let left = total;
  const more = (): void => {
    while (left > 0) {
      const bytes = piece.subarray(0, Math.min(left, piece.length));
      left -= bytes.length;
      if (!socket.write(bytes)) return void socket.once('drain', more);
    }
    socket.end('\n\n');
  };
  socket.write(first);
  more();
}

async function answered(): Promise<void> {
  serve = (socket) => socket.end(WHOLE);
  const heard = await converse(await dial(proxy()), [ask(CHAT.replace('"stream":true,', ''))]);
  expect(heard.statuses).toEqual([200]);
}

describe('an origin that sends without end', () => {
  it('SSE-10: a line of 100 MiB passes whole, and little of it is kept', async () => {
    const before = await residentBytes();
    serve = (socket) => pour(socket, `${STREAM}data: `, 100 * MIB);
    const socket = await dial(proxy());
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    socket.write(ask(CHAT));
    await once(socket, 'end');
    expect(bytes, sidecar.output().slice(-800)).toBeGreaterThan(100 * MIB);
    expect((await residentBytes()) - before).toBeLessThan(64 * MIB);
  });

  it('SSE-13: waits for an agent that does not read', async () => {
    const before = await residentBytes();
    let poured: Socket | undefined;
    serve = (socket) => {
      poured = socket;
      pour(socket, STREAM, 100 * MIB);
    };
    const socket = await dial(proxy());
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    socket.pause();
    socket.write(ask(CHAT));
    let last = -1;
    const taken = async (): Promise<boolean> => {
      const now = poured === undefined ? -1 : poured.bytesWritten - poured.writableLength;
      const still = now > 0 && now === last;
      last = now;
      return still;
    };
    await until(taken, Boolean);
    expect(last).toBeLessThan(32 * MIB); // in the sockets of this machine, twice
    expect((await residentBytes()) - before).toBeLessThan(64 * MIB);
    socket.resume();
    await once(socket, 'end');
    expect(bytes).toBeGreaterThan(100 * MIB);
  });
});

describe('an agent that takes all it can get', () => {
  it('DOS-18: of memory, by many bodies that are small as text and large when read', async () => {
    const waiting: Socket[] = [];
    serve = (socket) => void waiting.push(socket);
    const lists = new Array(190_000).fill('[]').join(',');
    const body = `{"model":"m","max_tokens":9,"messages":[],"x":[${lists}]}`;
    const callers: Socket[] = [];
    for (let i = 1; i <= 30; i++) {
      const socket = await dial(proxy());
      socket.on('error', () => socket.destroy());
      socket.write(ask(body));
      callers.push(socket);
      await until(
        async () => waiting.length,
        (count) => count >= i || sidecar.child.exitCode !== null || sidecar.child.signalCode !== null,
      );
    }
    expect([waiting.length, sidecar.child.exitCode, sidecar.child.signalCode]).toEqual([30, null, null]);
    for (const socket of callers) socket.destroy();
    await answered();
  });

  it('DOS-17: of file descriptors, and has them again when they are given back', async () => {
    const open = await Promise.all(Array.from({ length: 2 * DESCRIPTORS }, () => dial(proxy())));
    for (const socket of open) socket.on('error', () => socket.destroy());
    const late = await dial(proxy());
    late.on('error', () => late.destroy());
    for (const socket of [...open, late]) socket.destroy();
    await until(
      () =>
        answered().then(
          () => true,
          () => false,
        ),
      Boolean,
    );
    expect(sidecar.child.exitCode).toBeNull();
  });
});
