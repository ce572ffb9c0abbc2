// What the collector pays to take spans in: OTLP over HTTP, fsynced, loaded, queryable, all indexes and views on. In MB of
// OTLP bytes per CPU-second of all its processes, and of the store's load alone; and what memory that takes.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'undici';
import { genaiRequest } from './genai-spans.ts';
import { cpuSeconds, forgetPeak, peakMegabytes, percentile, startNode } from './processes.ts';
import { type Row, row } from './report.ts';

const SPANS_PER_REQUEST = 512;
const SENDERS = [8, 64] as const;
const MEGABYTE = 1e6;
const CLI = new URL('../bin/outrider.js', import.meta.url).pathname;

function childrenOf(parent: number): number[] {
  const numbers = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  return numbers.filter((pid) => {
    try {
      return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]) === parent;
    } catch (failure) {
      if (
        (failure as NodeJS.ErrnoException).code === 'ENOENT' ||
        (failure as NodeJS.ErrnoException).code === 'ESRCH'
      )
        return false;
      throw failure;
    }
  });
}

export async function benchCollector(quick: boolean): Promise<Row[]> {
  const directory = mkdtempSync(join(tmpdir(), 'outrider-bench-collector-'));
  const config = join(directory, 'outrider.yaml');
  writeFileSync(
    config,
    'fleet: bench\nbudgets: none\nupstreams: { openai: { url: https://api.openai.com, speaks: openai } }\nroles: { r: { allow: [llm openai/x] } }\nagents: { a: { role: r } }\nlisten: { otlp: 127.0.0.1:0, control: 127.0.0.1:0, sql: 127.0.0.1:0 }\n',
  );
  const collector = await startNode([CLI, 'collector', '--config', config, '--data', directory], { cpu: 1 });
  const { otlp, sql } = collector.ready[0]!.listen as { otlp: string; sql: string };
  const pids = [collector.child.pid!, ...childrenOf(collector.child.pid!)];
  const now = BigInt(Date.now() - 3_600_000) * 1_000_000n;
  const startMemory = peakOf(pids);
  pids.forEach(forgetPeak);
  const before = pids.map(cpuSeconds);
  const began = performance.now();
  const acks: Row[] = [];
  let spans = 0;
  let bytes = 0;
  for (const senders of SENDERS) {
    const requests = requestsOf(((quick ? 40 : 160) * MEGABYTE) / SENDERS.length, spans, now);
    const times = await send(otlp, requests, senders);
    acks.push(ackRow(senders, times));
    spans += requests.length * SPANS_PER_REQUEST;
    bytes += requests.reduce((sum, request) => sum + request.length, 0);
    await untilStored(sql, spans);
  }
  const seconds = (performance.now() - began) / 1000;
  const spent = pids.map((pid, i) => cpuSeconds(pid) - before[i]!);
  const megabytes = bytes / MEGABYTE;
  const disk = await diskBytes(sql);
  const memory = peakOf(pids);
  await collector.stop();
  rmSync(directory, { recursive: true, force: true });
  const all = megabytes / spent.reduce((sum, seconds) => sum + seconds, 0);
  const load = megabytes / spent[1]!;
  return [
    row('collector, OTLP bytes to rows, MB per CPU-second of the store (the load)', load.toFixed(1), {
      must: '≥ 30',
      aim: '≥ 50',
      met: load >= 30,
    }),
    row('… per CPU-second of all its processes', all.toFixed(1)),
    row('… spans a second, until all are rows', (spans / seconds).toFixed(0)),
    ...acks,
    row(
      'disk per span, all tables · OTLP bytes per span',
      `${(disk / spans).toFixed(0)} · ${(bytes / spans).toFixed(0)}`,
    ),
    memoryRow('collector memory under full ingest, all its processes, peaks added', memory),
    memoryRow('… at its first start, which makes both databases', startMemory),
  ];
}

/** The processes' peaks added, though they need not be of the same moment. */
const peakOf = (pids: readonly number[]): number => pids.reduce((sum, pid) => sum + peakMegabytes(pid), 0);

const memoryRow = (what: string, megabytes: number): Row =>
  row(what, `${megabytes.toFixed(0)} MB`, { must: '≤ 1200', aim: '≤ 850', met: megabytes <= 1200 });

/** Requests of so many bytes together; their spans are numbered from `first`. */
function requestsOf(bytes: number, first: number, at: bigint): Buffer[] {
  const requests: Buffer[] = [];
  for (let size = 0, span = first; size < bytes; span += SPANS_PER_REQUEST) {
    const request = genaiRequest('agent', span, SPANS_PER_REQUEST, at);
    requests.push(request);
    size += request.length;
  }
  return requests;
}

const ackRow = (senders: number, times: readonly number[]): Row =>
  row(
    `ack of a ${SPANS_PER_REQUEST}-span request, ${senders} senders, p50 · p99`,
    `${percentile(times, 50).toFixed(1)} · ${percentile(times, 99).toFixed(1)} ms`,
  );

/** Sends every request once, from several senders; milliseconds to each acknowledgement. */
async function send(otlp: string, requests: readonly Buffer[], senders: number): Promise<number[]> {
  const pool = new Pool(otlp, { connections: senders });
  const times: number[] = [];
  let next = 0;
  const sender = async (): Promise<void> => {
    for (let body = requests[next++]; body; body = requests[next++]) {
      const began = performance.now();
      const answer = await pool.request({
        path: '/v1/traces',
        method: 'POST',
        headers: { 'content-type': 'application/x-protobuf' },
        body,
      });
      await answer.body.dump();
      if (answer.statusCode !== 200) throw new Error(`the collector answered ${answer.statusCode}`);
      times.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: senders }, sender));
  await pool.close();
  return times;
}

const numberOf = async (sql: string, query: string): Promise<number> =>
  Number(await (await fetch(`${sql}/?query=${encodeURIComponent(query)}`)).text());

async function untilStored(sql: string, spans: number): Promise<void> {
  while ((await numberOf(sql, 'SELECT count() FROM otel_traces')) < spans)
    await new Promise((resolve) => setTimeout(resolve, 100));
}

const diskBytes = (sql: string): Promise<number> =>
  numberOf(sql, 'SELECT sum(total_bytes) FROM system.tables WHERE database = currentDatabase()');
