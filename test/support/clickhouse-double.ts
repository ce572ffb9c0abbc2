// A stand-in for a ClickHouse server, for there is none to install here: HTTP or HTTPS with a user and a password before an
// engine of its own (clickhouse-double-process.ts). It keeps every request's exact bytes, and does to the next of them what
// networks and servers do. It proves what we send and how we take what comes back; that a server understands it just so is
// proven by `npm run store-suite -- URL` on a real one.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const PROCESS = fileURLToPath(new URL('clickhouse-double-process.ts', import.meta.url));

export interface Recorded {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** What becomes of a request. */
export type Fate =
  /** The engine does it, and the connection breaks before the answer. */
  | 'done, unanswered'
  /** The connection breaks before anything is done. */
  | 'broken off'
  /** ClickHouse's exception of this number, without doing it. */
  | number
  /** Answered 200 with these words, without doing it. */
  | { readonly says: string }
  /** Done once this resolves. */
  | Promise<void>;

export interface Double {
  /** With user and password. */
  readonly url: string;
  readonly requests: readonly Recorded[];
  /** Makes a database of its own, and answers the URL of it. */
  database(): Promise<string>;
  /** The next request whose body has `part` in it meets this fate; once. */
  next(part: string, fate: Fate): void;
  /** From now on another password is the right one. */
  changePassword(password: string): void;
  /** Kills the engine as a crash would. `change` is given its folder, then it starts again. */
  crash(change: (directory: string) => void): Promise<void>;
  stop(): Promise<void>;
}

export interface DoubleOptions {
  /** A cluster of this name, of one shard. */
  readonly cluster?: string;
  readonly tls?: { readonly key: string; readonly cert: string };
}

export const DOUBLE_USER = 'outrider';

export async function startDouble({ cluster, tls }: DoubleOptions = {}): Promise<Double> {
  const directory = mkdtempSync(join(tmpdir(), 'clickhouse-double-'));
  const startEngine = async () => {
    const child = spawn(process.execPath, [PROCESS, directory, ...(cluster ? [cluster] : [])], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { PATH: process.env.PATH ?? '', TZ: 'UTC' },
    });
    const [port] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    return { child, url: `http://127.0.0.1:${port}` };
  };
  let engine = await startEngine();

  let password = 'correct horse';
  const requests: Recorded[] = [];
  const fates: { readonly part: string; readonly fate: Fate }[] = [];

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const recorded = {
      method: request.method!,
      url: request.url!,
      headers: request.headers,
      body: Buffer.concat(chunks),
    };
    requests.push(recorded);
    const expected = `Basic ${Buffer.from(`${DOUBLE_USER}:${password}`).toString('base64')}`;
    if (request.headers.authorization !== expected) return refuse(response, 516, 403);
    const at = fates.findIndex(({ part }) => recorded.body.includes(part));
    const fate = at < 0 ? undefined : fates.splice(at, 1)[0]!.fate;
    if (fate === 'broken off') return void request.socket.destroy();
    if (typeof fate === 'number') return refuse(response, fate, 500);
    if (typeof fate === 'object' && 'says' in fate) return void response.end(fate.says);
    if (typeof fate === 'object') await fate;
    const answer = await fetch(`${engine.url}${recorded.url}`, {
      method: 'POST',
      body: new Uint8Array(recorded.body),
    });
    const bytes = Buffer.from(await answer.arrayBuffer());
    if (fate === 'done, unanswered') return void request.socket.destroy();
    const code = answer.headers.get('x-clickhouse-exception-code');
    response.writeHead(answer.status, code === null ? {} : { 'x-clickhouse-exception-code': code });
    response.end(bytes);
  }

  const listener: RequestListener = (request, response) => {
    handle(request, response).catch((failure: unknown) => {
      console.error('the ClickHouse double failed', failure);
      request.socket.destroy();
    });
  };
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const at = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const urlOf = (database: string) =>
    `${tls ? 'https' : 'http'}://${DOUBLE_USER}:${encodeURIComponent(password)}@${at}/${database}`;

  let databases = 0;
  return {
    url: urlOf('default'),
    requests,
    async database() {
      databases += 1;
      const answer = await fetch(engine.url, { method: 'POST', body: `CREATE DATABASE fleet_${databases}` });
      if (!answer.ok) throw new Error(await answer.text());
      return urlOf(`fleet_${databases}`);
    },
    next: (part, fate) => void fates.push({ part, fate }),
    changePassword(next) {
      password = next;
    },
    async crash(change) {
      engine.child.kill('SIGKILL');
      await once(engine.child, 'exit');
      change(directory);
      engine = await startEngine();
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      engine.child.stdin.end();
      await once(engine.child, 'exit');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function refuse(response: ServerResponse, code: number, status: number): void {
  response.writeHead(status, { 'x-clickhouse-exception-code': code });
  const why = code === 241 ? '(total) memory limit exceeded' : 'refused by the test';
  response.end(`Code: ${code}. DB::Exception: ${why}. (REFUSED_BY_THE_TEST)\n`);
}
