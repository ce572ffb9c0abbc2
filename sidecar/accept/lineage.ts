// Where a call stands: its trace, its task, who called this agent and who first granted the work. Read with the
// ecosystem's own W3C parser (by its file: the library's front door loads ten megabytes more); our span's id is drawn here, before the decision is journalled.

import { randomFillSync } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { parseTraceParent } from '@opentelemetry/core/build/src/trace/W3CTraceContextPropagator.js';
import type { Lineage } from '../call.ts';
import { SESSION_HEADERS, type Tasks } from '../state/tasks.ts';

const BAGGAGE_CHARACTERS_MAX = 8192;
const NAME = /^[A-Za-z0-9._@/-]{1,128}$/;
const TRACE_ID = /^[0-9a-f]{32}$/;
const DEPTH_MAX = 64;

/** Members of W3C baggage that are ours; they go on only to upstreams that are agents or tools. */
const OURS = 'outrider.';

export function lineageOf(headers: IncomingHttpHeaders, agent: string, tasks: Tasks): Lineage {
  const parent = parseTraceParent(single(headers.traceparent));
  const { members, passOn } = readBaggage(single(headers.baggage));
  const task = tasks.taskOf(agent, [
    single(headers['x-outrider-task']) || undefined,
    members.get('outrider.task'),
    ...SESSION_HEADERS.map((name) => single(headers[name]) || undefined),
  ]);
  const origin = members.get('outrider.trace') ?? '';
  const traceId = parent?.traceId ?? randomHex(16);
  return {
    task,
    traceId,
    spanId: randomHex(8),
    parentSpanId: parent?.spanId ?? '',
    traceState: parent ? single(headers.tracestate).slice(0, 512) : '',
    callerAgent: nameOr(members.get('outrider.caller'), ''),
    grantor: nameOr(members.get('outrider.grantor'), ''),
    depth: depthOf(members.get('outrider.depth')),
    parentTraceId: TRACE_ID.test(origin) && origin !== traceId ? origin : '',
    baggage: passOn,
  };
}

function readBaggage(header: string): { members: Map<string, string>; passOn: string } {
  const members = new Map<string, string>();
  if (header === '' || header.length > BAGGAGE_CHARACTERS_MAX) return { members, passOn: '' };
  const others: string[] = [];
  for (const member of header.split(',')) {
    const [pair = ''] = member.split(';');
    const equals = pair.indexOf('=');
    const name = pair.slice(0, equals).trim();
    if (equals < 1 || !name.startsWith(OURS)) others.push(member.trim());
    else members.set(name, unescaped(pair.slice(equals + 1).trim()));
  }
  return { members, passOn: others.filter((member) => member !== '').join(',') };
}

function unescaped(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch (failure) {
    if (failure instanceof URIError) return value;
    throw failure;
  }
}

const nameOr = (value: string | undefined, otherwise: string): string =>
  value !== undefined && NAME.test(value) ? value : otherwise;

function depthOf(value: string | undefined): number {
  const depth = Number(value ?? 0);
  return Number.isInteger(depth) && depth >= 0 && depth <= DEPTH_MAX ? depth : 0;
}

const single = (value: string | string[] | undefined): string =>
  Array.isArray(value) ? value.join(',') : (value ?? '');

// Random bytes are drawn by the page: one system call for a few hundred ids.
const pool = Buffer.allocUnsafeSlow(4096);
let used = pool.length;

/** In [0, 1). */
export const randomFraction = (): number => Number.parseInt(randomHex(4), 16) / 2 ** 32;

/** `bytes` random bytes in lower-case hex. */
export function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += bytes;
  return pool.toString('hex', used - bytes, used);
}
