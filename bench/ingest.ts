// How fast segments become rows, all indexes, promoted columns and views on, in MB of OTLP bytes per CPU-second; and the
// same spans decoded in JavaScript. Three shapes of load take turns, so that a busy machine is unfair to none: spans that
// agents send, the same decoded, and the records that sidecars send. Each has a store of its own, so that none pays for the
// others' merges, and pays for all of its own: what is counted runs from its first load to the end.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { walkFraming } from '../collector/receive/framing.ts';
import { type EmbeddedStore, openStore } from '../collector/store/store.ts';
import { systemClock } from '../kit/clock.ts';
import { silentLog } from '../kit/log.ts';
import { segmentBytes } from '../test/collector/store/otlp.ts';
import { COLUMNS, decodedRows } from './arms/decoded.ts';
import { genaiRequest, type Shape } from './genai-spans.ts';
import { cpuSeconds } from './processes.ts';
import { type Row, row } from './report.ts';

const SPANS_PER_REQUEST = 512;
const SEGMENT_BYTES = 7_500_000;
const MEGABYTE = 1e6;
const HOUR_NANOSECONDS = 3_600_000_000_000n;
const ROUNDS = 12;
const ROUNDS_QUICK = 3;
/** What merges the last loads began. */
const MERGES_MS = 3_000;

/** What an arm took in, and what that cost. */
interface Spent {
  bytes: number;
  spans: number;
  /** Of its store, merges too. */
  storeSeconds: number;
  /** In this process: the door's walk, or the decoding. */
  ownSeconds: number;
}

interface Arm {
  readonly store: EmbeddedStore;
  readonly spent: Spent;
}

export async function benchIngest(quick: boolean): Promise<Row[]> {
  const directory = mkdtempSync(join(tmpdir(), 'outrider-bench-ingest-'));
  const arms = {
    agent: await armIn(directory, 'agent'),
    decoded: await armIn(directory, 'decoded'),
    record: await armIn(directory, 'record'),
  };
  try {
    return await measured(arms, directory, quick ? ROUNDS_QUICK : ROUNDS);
  } finally {
    for (const { store } of Object.values(arms)) await store.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function armIn(directory: string, name: string): Promise<Arm> {
  const store = await openStore({
    dataDirectory: join(directory, name),
    sqlListen: '127.0.0.1:0',
    log: silentLog,
    clock: systemClock,
  });
  return { store, spent: nothing() };
}

type Arms = Readonly<Record<'agent' | 'decoded' | 'record', Arm>>;

async function measured(arms: Arms, directory: string, rounds: number): Promise<Row[]> {
  const everyArm = Object.values(arms);
  let before: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    if (round === 1) before = everyArm.map(({ store }) => cpuSeconds(store.pid())); // the first warms up
    const spentOn = (arm: Arm): Spent => (round === 0 ? nothing() : arm.spent);
    await load(arms.agent.store, directory, 'agent', round, spentOn(arms.agent));
    await decode(arms.decoded.store, directory, round, spentOn(arms.decoded));
    await load(arms.record.store, directory, 'record', round, spentOn(arms.record));
  }
  await new Promise((resolve) => setTimeout(resolve, MERGES_MS));
  for (const [i, { store, spent }] of everyArm.entries())
    spent.storeSeconds = cpuSeconds(store.pid()) - before[i]!;
  const [agent, decoded, record] = [arms.agent.spent, arms.decoded.spent, arms.record.spent];
  return [
    row('load of agents’ spans, MB per CPU-second of the store · and the door’s walk', inSum(agent), {
      must: '≥ 30',
      aim: '≥ 50',
      met: agent.bytes / MEGABYTE / agent.storeSeconds >= 30,
    }),
    row('… the same decoded in JavaScript: store · and the decoding', inSum(decoded)),
    row('… spans a second of one core: loaded · decoded', `${ofOneCore(agent)} · ${ofOneCore(decoded)}`),
    row('load of sidecars’ records, MB per CPU-second of the store · and the door’s walk', inSum(record)),
  ];
}

const nothing = (): Spent => ({ bytes: 0, spans: 0, storeSeconds: 0, ownSeconds: 0 });

function inSum({ bytes, storeSeconds, ownSeconds }: Spent): string {
  const megabytes = bytes / MEGABYTE;
  return `${(megabytes / storeSeconds).toFixed(1)} · ${(megabytes / (storeSeconds + ownSeconds)).toFixed(1)}`;
}

const ofOneCore = ({ spans, storeSeconds, ownSeconds }: Spent): string =>
  (spans / (storeSeconds + ownSeconds)).toFixed(0);

async function load(
  store: EmbeddedStore,
  directory: string,
  shape: Shape,
  round: number,
  spent: Spent,
): Promise<void> {
  const requests = requestsOf(shape, round);
  const now = BigInt(Date.now()) * 1_000_000n;
  const bytes = segmentBytes(requests, shape === 'record' ? 'agent-1/host-17' : '', now);
  const id = `${shape}-${round}`;
  const path = join(directory, id);
  writeFileSync(path, bytes);
  await paid(requests, spent, async () => {
    for (const request of requests)
      walkFraming('traces', request, shape === 'record' ? 'trusted' : 'foreign');
    const { items } = await store.load({ id, path, bytes: bytes.length });
    if (items !== requests.length * SPANS_PER_REQUEST) throw new Error(`${items} spans of ${id} are stored`);
  });
  rmSync(path);
}

/** Other spans than those loaded, of the same shape and size. */
async function decode(store: EmbeddedStore, directory: string, round: number, spent: Spent): Promise<void> {
  const requests = requestsOf('agent', round + 1_000);
  const path = join(directory, `decoded-${round}`);
  const structure = Object.entries(COLUMNS).map((column) => column.join(' '));
  await paid(requests, spent, () => {
    writeFileSync(path, requests.map(decodedRows).join('\n'));
    return store.command(
      `INSERT INTO otel_traces (${Object.keys(COLUMNS).join(', ')})
       SELECT * FROM file('${path}', 'JSONEachRow', '${structure.join(', ')}')`,
    );
  });
  rmSync(path);
}

async function paid(requests: readonly Buffer[], spent: Spent, act: () => Promise<void>): Promise<void> {
  const ownBefore = process.cpuUsage();
  await act();
  const { user, system } = process.cpuUsage(ownBefore);
  spent.ownSeconds += (user + system) / 1e6;
  spent.bytes += requests.reduce((sum, { length }) => sum + length, 0);
  spent.spans += requests.length * SPANS_PER_REQUEST;
}

function requestsOf(shape: Shape, round: number): Buffer[] {
  const at = BigInt(Date.now()) * 1_000_000n - HOUR_NANOSECONDS;
  const requests: Buffer[] = [];
  let span = round * 1_000_000;
  for (let bytes = 0; bytes < SEGMENT_BYTES; span += SPANS_PER_REQUEST) {
    const request = genaiRequest(shape, span, SPANS_PER_REQUEST, at);
    requests.push(request);
    bytes += request.length;
  }
  return requests;
}
