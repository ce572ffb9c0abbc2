// The two doors: `sql` for Grafana, clients and curl, read-only behind the wall; `private` for the collector alone, which
// may do anything and proves itself by a password drawn at each start.

import { randomUUID, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { type Answer, type Engine, run } from './engine.ts';
import { DEFAULT_FORMAT } from './formats.ts';
import type { FunctionList } from './functions.ts';
import type { KeptMemory } from './kept-memory.ts';
import { type EngineLimits, PRIVATE_USER } from './messages.ts';
import { nativeFor } from './native-blocks.ts';
import { BadRequest, type DoorRequest, readRequest } from './request.ts';
import { sendFailure, sendWhole } from './respond.ts';
import { settingsKept } from './settings.ts';
import { judge, judgeExpression } from './wall.ts';
import { createWatch, type Die } from './watch.ts';

/** A load statement carries the whole schema; nothing of the collector's is near this. */
const PRIVATE_STATEMENT_BYTES_MAX = 4_000_000;

/** What both doors stand before. */
export interface Behind {
  readonly engine: Engine;
  readonly memory: KeptMemory;
}

export interface SqlDoorOptions extends Behind {
  readonly functions: FunctionList;
  readonly limits: EngineLimits;
  readonly die: Die;
}

export function sqlDoor(options: SqlDoorOptions): Server {
  const { engine, functions, limits, die } = options;
  const watch = createWatch(engine, limits, die);
  const server = door(options, async (request, response) => {
    refuseRebound(request);
    const asked = await readRequest(request);
    await engine.readGate.pass(async () => {
      // Who hung up while waiting in line wants no answer.
      if (response.destroyed) return;
      const context = { engine, functions, limits };
      await watch.over(response, (mark) => answerRead(asked, response, { ...context, mark }));
    });
  });
  server.requestTimeout = REQUEST_MS_MAX;
  server.maxConnections = CONNECTIONS_MAX;
  return server;
}

/** A statement that takes longer to arrive is no statement. */
const REQUEST_MS_MAX = 30_000;
/** Each may hold a statement and a descriptor, of which the tables need many. */
const CONNECTIONS_MAX = 256;

interface ReadContext {
  readonly engine: Engine;
  readonly functions: FunctionList;
  readonly limits: EngineLimits;
  /** A comment by which the statement is known while it runs. */
  readonly mark: string;
}

async function answerRead(asked: DoorRequest, response: ServerResponse, context: ReadContext): Promise<void> {
  const { engine, functions, limits, mark } = context;
  const judged = await engine.session('plain', (session) => judge(session, asked.statement, functions));
  const format = judged.format ?? asked.format ?? DEFAULT_FORMAT;
  const head = { queryId: asked.queryId ?? randomUUID(), format, gzip: asked.gzip };
  const settings = await settingsKept(
    { inUrl: judged.isSelect ? asked.settings : new Map(), inStatement: judged.settings },
    limits,
    (expression) => engine.session('plain', (session) => judgeExpression(session, expression, functions)),
  );
  const revision = format === 'Native' ? asked.revision : 0;
  const tail = settings.length > 0 ? ` SETTINGS ${settings.join(', ')}` : '';
  const statement = `${mark}${judged.body}${tail}`;
  const rights = settings.length > 0 || judged.readsSettings ? 'tuned' : 'plain';
  const answer = await engine.session(rights, (session) => run(session, statement, format));
  await sendWhole(response, engine, head, inRevision(revision, answer));
}

function inRevision(revision: number, answer: Answer): Answer {
  return revision > 0 ? { ...answer, bytes: nativeFor(revision, answer.bytes) } : answer;
}

/** A web page can point its own name at 127.0.0.1; then the browser's Host header still says that name. */
function refuseRebound(request: IncomingMessage): void {
  const host = (request.headers.host ?? '').replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  const local = request.socket.localAddress ?? '';
  const loopback = local.startsWith('127.') || local === '::1' || local === '::ffff:127.0.0.1';
  if (loopback && host !== 'localhost' && isIP(host) === 0)
    throw new BadRequest(516, `The name ${host} is not served here; use 127.0.0.1 or localhost`);
}

export function privateDoor(behind: Behind, password: string): Server {
  const { engine } = behind;
  const expected = Buffer.from(`Basic ${Buffer.from(`${PRIVATE_USER}:${password}`).toString('base64')}`);
  return door(behind, async (request, response) => {
    const given = Buffer.from(request.headers.authorization ?? '');
    if (given.length !== expected.length || !timingSafeEqual(given, expected))
      throw new BadRequest(516, 'This door is the collector’s own');
    const asked = await readRequest(request, PRIVATE_STATEMENT_BYTES_MAX);
    const format = asked.format ?? DEFAULT_FORMAT;
    const answer = await engine.workGate.pass(() =>
      engine.session('work', (session) => run(session, asked.statement, format)),
    );
    const head = { queryId: asked.queryId ?? randomUUID(), format, gzip: false };
    await sendWhole(response, engine, head, answer);
  });
}

type Handle = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

function door({ engine, memory }: Behind, handle: Handle): Server {
  return createServer({ keepAliveTimeout: 30_000 }, (request, response) => {
    const path = (request.url ?? '/').split('?')[0];
    if (path === '/ping' || (request.method === 'GET' && request.url === '/'))
      return void response.end('Ok.\n');
    if (path !== '/')
      return void response.writeHead(404).end(`There is no ${path} here; send queries to /\n`);
    handle(request, response).catch((failure) => {
      memory.failed(failure);
      sendFailure(response, failure, engine);
    });
  });
}
