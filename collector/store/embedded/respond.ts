// Writes one answer of ClickHouse's HTTP interface: rows, and failures as ClickHouse prints them.

import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type Answer, type Engine, StatementFailure } from './engine.ts';
import { contentType } from './formats.ts';
import { GateFull } from './gate.ts';
import { BadRequest } from './request.ts';
import { WallRefusal } from './wall-refusal.ts';

export interface AnswerHead {
  readonly queryId: string;
  readonly format: string;
  readonly gzip: boolean;
}

function writeHead(
  response: ServerResponse,
  engine: Engine,
  head: AnswerHead,
  more: Record<string, string>,
): void {
  response.writeHead(200, {
    'content-type': contentType(head.format),
    'x-clickhouse-server-display-name': 'outrider',
    'x-clickhouse-query-id': head.queryId,
    'x-clickhouse-format': head.format,
    'x-clickhouse-timezone': engine.timezone,
    ...(head.gzip ? { 'content-encoding': 'gzip' } : {}),
    ...more,
  });
}

const compressed = promisify(gzip);

export async function sendWhole(
  response: ServerResponse,
  engine: Engine,
  head: AnswerHead,
  answer: Answer,
): Promise<void> {
  const bytes = head.gzip ? await compressed(answer.bytes) : answer.bytes;
  const { rowsRead, bytesRead, elapsedSeconds } = answer;
  writeHead(response, engine, head, summary(rowsRead, bytesRead, elapsedSeconds));
  // Until the client has taken it all it is held here: whoever does not read keeps his own place in line, not another.
  await pipeline(Readable.from([bytes]), response);
}

/** What drivers read of a query's cost. */
function summary(rowsRead: number, bytesRead: number, elapsedSeconds: number): Record<string, string> {
  const told = {
    read_rows: String(rowsRead),
    read_bytes: String(bytesRead),
    elapsed_ns: String(Math.round(elapsedSeconds * 1e9)),
  };
  return { 'x-clickhouse-summary': JSON.stringify(told) };
}

/** Exception numbers that are not a 500, as ClickHouse's HTTPHandler maps them. */
const STATUSES: ReadonlyMap<number, number> = new Map([
  ...[6, 27, 36, 41, 42, 43, 50, 53, 62, 70, 72, 79, 153, 184, 215, 456].map((code) => [code, 400] as const),
  ...[16, 46, 47, 60, 81, 115].map((code) => [code, 404] as const),
  ...[164, 291, 497].map((code) => [code, 403] as const),
  ...[
    [48, 501],
    [73, 400],
    [159, 408],
    [202, 503],
    [241, 500],
    [354, 400],
    [372, 404],
    [394, 499],
    [396, 400],
    [516, 401],
  ].map(([code, status]) => [code!, status!] as const),
]);

export function sendFailure(response: ServerResponse, failure: unknown, engine: Engine): void {
  if (response.headersSent) return void response.destroy();
  const { code, message } = describe(failure, engine);
  response.writeHead(STATUSES.get(code) ?? 500, {
    'content-type': 'text/plain; charset=UTF-8',
    'x-clickhouse-exception-code': String(code),
    connection: 'close',
  });
  response.end(`${message}\n`);
}

function describe(failure: unknown, engine: Engine): { code: number; message: string } {
  if (failure instanceof StatementFailure) return { code: failure.code, message: failure.message };
  const own = (code: number, name: string, sentence: string) => ({
    code,
    message: `Code: ${code}. DB::Exception: ${sentence}. (${name}) (version ${engine.version})`,
  });
  // HyperDX knows by these words that it may go on without.
  if (failure instanceof WallRefusal)
    return own(497, 'ACCESS_DENIED', `Not enough privileges. ${failure.message}`);
  if (failure instanceof GateFull) return own(202, 'TOO_MANY_SIMULTANEOUS_QUERIES', failure.message);
  if (failure instanceof BadRequest)
    return own(failure.code, NAMES.get(failure.code) ?? 'BAD_ARGUMENTS', failure.message);
  return own(1002, 'UNKNOWN_EXCEPTION', failure instanceof Error ? failure.message : String(failure));
}

const NAMES: ReadonlyMap<number, string> = new Map([
  [48, 'NOT_IMPLEMENTED'],
  [62, 'SYNTAX_ERROR'],
  [81, 'UNKNOWN_DATABASE'],
  [73, 'UNKNOWN_FORMAT'],
  [354, 'ZLIB_INFLATE_FAILED'],
  [372, 'SESSION_NOT_FOUND'],
  [456, 'UNKNOWN_QUERY_PARAMETER'],
  [516, 'AUTHENTICATION_FAILED'],
]);
