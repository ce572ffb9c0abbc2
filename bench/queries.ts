// How long people wait for an answer: every query of the console, the dashboards and the auditors on a month of a fleet,
// through the doors that they use, twenty times each. See queries/ for what is stored and what is asked.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedStore, openStore } from '../collector/store/store.ts';
import { systemClock } from '../kit/clock.ts';
import { silentLog } from '../kit/log.ts';
import { cpuSeconds, peakMegabytes, percentile } from './processes.ts';
import { type Asked, exampleOf, ofAuditors, ofConsole, ofDashboards } from './queries/asked.ts';
import { type Filled, fill } from './queries/fill.ts';
import { type Row, row } from './report.ts';

const TIMES = 20;
/** What is far beyond the bar is not asked so often. */
const ENOUGH_MS = 20_000;
const MUST_MS = 500;
/** Of the rest it is only said how many there are. */
const SHOWN = 40;

interface Timed {
  readonly where: string;
  readonly p50: number;
  readonly p95: number;
  /** Of the store for one answer: on a machine that others use too, it says more than the clock. */
  readonly cpuMs: number;
  /** Its sentence, where it failed. */
  readonly failure: string | null;
}

/**
 * `spans`: how many are stored; a multiple of 100. `keep`: a directory where they stay, and are asked again the next time, so
 * that a slow query can be made faster without another hour of filling. Says on stderr how far it is.
 */
export async function benchQueries(spans: number, keep?: string): Promise<Row[]> {
  const directory = keep ?? mkdtempSync(join(tmpdir(), 'outrider-bench-queries-'));
  const store = await openStore({
    dataDirectory: directory,
    sqlListen: '127.0.0.1:0',
    log: silentLog,
    clock: systemClock,
  });
  try {
    return await measured(store, await filledOnce(store, spans, join(directory, 'filled.json')));
  } finally {
    await store.close();
    if (!keep) rmSync(directory, { recursive: true, force: true });
  }
}

interface Stored extends Filled {
  readonly spans: number;
  /** When the last span begins, seconds since 1970. */
  readonly until: number;
}

async function filledOnce(store: EmbeddedStore, spans: number, note: string): Promise<Stored> {
  if (existsSync(note)) return JSON.parse(readFileSync(note, 'utf8')) as Stored;
  const until = Math.floor(Date.now() / 1000);
  const stored = { spans, until, ...(await fill(store, spans, until)) };
  writeFileSync(note, JSON.stringify(stored));
  return stored;
}

async function measured(store: EmbeddedStore, filled: Stored): Promise<Row[]> {
  const { spans, until } = filled;
  say(
    `${spans} spans stored in ${filled.seconds.toFixed(0)} s, merged ${filled.mergeSeconds.toFixed(0)} s later`,
  );
  const example = await exampleOf(store.sqlUrl, until);
  const asked = [
    ...(await ofConsole(store, example)),
    ...ofDashboards(store.sqlUrl, until),
    ...ofAuditors(store.sqlUrl, example),
  ];
  const timed: Timed[] = [];
  for (const each of asked) timed.push(await timeOf(each, store.pid()));
  timed.sort((a, b) => b.p95 - a.p95);
  const disk = filled.bytesOnDisk / spans;
  return [
    row(`${spans} spans, and all that is counted from them, stored in`, `${filled.seconds.toFixed(0)} s`),
    row('disk per span, all tables', `${disk.toFixed(0)} bytes`),
    row('store memory, peak', `${peakMegabytes(store.pid()).toFixed(0)} MB`),
    row(
      `queries beyond ${MUST_MS} ms`,
      `${timed.filter(({ p95 }) => p95 > MUST_MS).length} of ${timed.length}`,
    ),
    ...timed.slice(0, SHOWN).map(rowOf),
  ];
}

async function timeOf({ where, ask }: Asked, pid: number): Promise<Timed> {
  const times: number[] = [];
  const end = performance.now() + ENOUGH_MS;
  try {
    await ask(); // opens files and fills caches
    const cpuBefore = cpuSeconds(pid);
    while (times.length < TIMES && performance.now() < end) {
      const began = performance.now();
      await ask();
      times.push(performance.now() - began);
    }
    const cpuMs = ((cpuSeconds(pid) - cpuBefore) * 1000) / times.length;
    return { where, p50: percentile(times, 50), p95: percentile(times, 95), cpuMs, failure: null };
  } catch (failure) {
    const sentence = failure instanceof Error ? failure.message : String(failure);
    return { where, p50: Infinity, p95: Infinity, cpuMs: Infinity, failure: sentence };
  }
}

const rowOf = ({ where, p50, p95, cpuMs, failure }: Timed): Row =>
  row(
    `${where}, p50 · p95 (CPU)`,
    failure ?? `${p50.toFixed(0)} · ${p95.toFixed(0)} ms (${cpuMs.toFixed(0)})`,
    {
      must: `≤ ${MUST_MS}`,
      aim: '',
      met: p95 <= MUST_MS,
    },
  );

const say = (text: string) => process.stderr.write(`${text}\n`);
