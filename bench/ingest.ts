// How fast segments become rows, all indexes, promoted columns and views on, in MB of OTLP bytes per CPU-second of the store
// process; and what memory that takes. Two shapes: spans that agents send, and the records that sidecars send.
//
//   node bench/ingest.ts [megabytes per shape, default 160]

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedStore, openStore, type Segment } from '../collector/store/store.ts';
import { systemClock } from '../kit/clock.ts';
import { silentLog } from '../kit/log.ts';
import { segmentBytes } from '../test/collector/store/otlp.ts';
import { genaiRequest, type Shape } from './genai-spans.ts';

const SPANS_PER_REQUEST = 512;
const SEGMENT_BYTES = 8_000_000;
const MEGABYTE = 1e6;
/** USER_HZ, which Linux fixes for /proc. */
const TICKS_PER_SECOND = 100;
const HOUR_NANOSECONDS = 3_600_000_000_000n;

interface Figures {
  readonly shape: Shape;
  readonly megabytes: number;
  readonly spans: number;
  readonly bytesPerSpan: number;
  readonly megabytesPerCpuSecond: number;
  readonly spansPerSecond: number;
  readonly storeMemoryPeakMegabytes: number;
}

function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function peakMegabytes(pid: number): number {
  const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return (Number(kilobytes) * 1024) / MEGABYTE;
}

function writeSegments(
  directory: string,
  shape: Shape,
  bytesWanted: number,
): { segments: Segment[]; bytesPerSpan: number } {
  const now = BigInt(Date.now()) * 1_000_000n;
  const segments: Segment[] = [];
  let span = 0;
  let written = 0;
  while (written < bytesWanted) {
    const requests: Buffer[] = [];
    let size = 0;
    while (size < SEGMENT_BYTES - 500_000) {
      const request = genaiRequest(shape, span, SPANS_PER_REQUEST, now - HOUR_NANOSECONDS);
      requests.push(request);
      size += request.length;
      span += SPANS_PER_REQUEST;
    }
    const bytes = segmentBytes(requests, shape === 'record' ? 'agent-1/host-17' : '', now);
    const id = `${shape}-${segments.length}`;
    const path = join(directory, id);
    writeFileSync(path, bytes);
    segments.push({ id, path, bytes: bytes.length });
    written += bytes.length;
  }
  return { segments, bytesPerSpan: written / span };
}

async function measure(
  store: EmbeddedStore,
  directory: string,
  shape: Shape,
  bytesWanted: number,
): Promise<Figures> {
  const { segments, bytesPerSpan } = writeSegments(directory, shape, bytesWanted);
  const startCpu = cpuSeconds(store.pid());
  const startMs = performance.now();
  let spans = 0;
  for (const segment of segments) spans += (await store.load(segment)).items;
  const seconds = (performance.now() - startMs) / 1000;
  const megabytes = segments.reduce((sum, segment) => sum + segment.bytes, 0) / MEGABYTE;
  return {
    shape,
    megabytes: Math.round(megabytes),
    spans,
    bytesPerSpan: Math.round(bytesPerSpan),
    megabytesPerCpuSecond: round(megabytes / (cpuSeconds(store.pid()) - startCpu)),
    spansPerSecond: Math.round(spans / seconds),
    storeMemoryPeakMegabytes: Math.round(peakMegabytes(store.pid())),
  };
}

const round = (value: number) => Math.round(value * 10) / 10;

const megabytes = Number(process.argv[2] ?? 160);
const directory = mkdtempSync(join(tmpdir(), 'outrider-bench-'));
const store = await openStore({
  dataDirectory: directory,
  sqlListen: '127.0.0.1:0',
  log: silentLog,
  clock: systemClock,
});
try {
  for (const shape of ['agent', 'record'] as const)
    process.stdout.write(`${JSON.stringify(await measure(store, directory, shape, megabytes * MEGABYTE))}\n`);
} finally {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
}
