// How fast an exported audit log is verified: a million sealed records of four sidecars, a hundred a request, from disk, by
// the code of `outrider audit verify` in this process. CPU time, since it is one core's work and the machine may be shared.

import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { exportedFiles } from '../cli/audit/exported-files.ts';
import { hourFile } from '../contract/audit/export.ts';
import { verifyExport } from '../contract/audit/verify.ts';
import { CHAIN_START } from '../contract/audit-entry.ts';
import { noteVerifier } from '../kit/tlog/note.ts';
import {
  type Row as ActionRow,
  createWorld,
  leafOf,
  rowOf,
  START_MS,
  signer,
  type World,
  writeExport,
} from '../test/contract/audit/export-world.ts';
import { exampleRecord } from '../test/sidecar/example-record.ts';
import { type Row, row } from './report.ts';

const STREAMS = ['a', 'b', 'c', 'd'];
const TOGETHER = 100;
const APART_MS = 50;
const RECORDS_A_MINUTE_MUST = 1_000_000;

export async function benchAudit(quick: boolean): Promise<Row[]> {
  const records = quick ? 100_000 : 1_000_000;
  const directory = mkdtempSync(join(tmpdir(), 'bench-audit-'));
  try {
    makeExport(directory, records);
    const before = process.cpuUsage();
    const verified = await verifyExport({
      files: exportedFiles(directory),
      trusted: [noteVerifier(signer.verifierKey)],
      against: [],
      anchored: null,
      acceptsUnlogged: false,
      progress: () => undefined,
    });
    const { user, system } = process.cpuUsage(before);
    if (!verified.holds || verified.records !== records)
      throw new Error(`The export does not hold: ${JSON.stringify(verified.findings[0])}`);
    const aMinute = (records / ((user + system) / 1e6)) * 60;
    const memory = Math.round(process.memoryUsage().rss / 1024 ** 2);
    const measured = `${(aMinute / 1e6).toFixed(1)} M (of ${records.toLocaleString('en')}; ${memory} MB)`;
    const bar = { must: '≥ 1 M', aim: '', met: aMinute >= RECORDS_A_MINUTE_MUST };
    return [row('audit records verified a minute of one core', measured, bar)];
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function makeExport(directory: string, records: number): void {
  const world: World = createWorld({ streams: 0 });
  const chains = STREAMS.map((stream) => ({ stream, seq: 0, previous: CHAIN_START }));
  mkdirSync(join(directory, 'actions'));
  let startedAtMs = START_MS;
  for (let made = 0; made < records; made += TOGETHER) {
    const chain = chains[(made / TOGETHER) % chains.length]!;
    const rows = Array.from({ length: TOGETHER }, () => {
      startedAtMs += APART_MS;
      return rowOf(exampleRecord({ callId: `call-${chain.stream}-${chain.seq}`, startedAtMs }), chain);
    });
    append(directory, rows);
    world.leaves.push({ ...leafOf(rows, 'traces'), receivedMs: startedAtMs + 1_000 });
  }
  const written = writeExport(orderedInTime(world), [], { actions: records });
  for (const [path, bytes] of written.files) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), bytes);
  }
}

/** The world's own last leaf comes from before the records were made. */
const orderedInTime = (world: World): World => ({
  ...world,
  leaves: world.leaves.toSorted((a, b) => a.receivedMs - b.receivedMs),
});

function append(directory: string, rows: readonly ActionRow[]): void {
  for (const row of rows) {
    const hour = hourFile(Date.parse(`${row.timestamp!.replace(' ', 'T')}Z`));
    appendFileSync(join(directory, 'actions', hour), `${JSON.stringify(row)}\n`);
  }
}
