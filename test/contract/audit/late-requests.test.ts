// Records of a sidecar that was cut off for a day: they are read long before the leaves that claim them. Whatever is forged
// behind them, or in rows put under another hour, is found as where the leaves come first.

import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../contract/audit/finding.ts';
import { type VerifyInput, verifyExport } from '../../../contract/audit/verify.ts';
import { noteVerifier } from '../../../kit/tlog/note.ts';
import {
  addRetention,
  createWorld,
  filesIn,
  linesOf,
  resealed,
  signer,
  type World,
  writeExport,
} from './export-world.ts';

const DAY_MS = 86_400_000;
/** More than the chains remember of what they have read. */
const MANY = 4_200;

function createLate(size: { records?: number; together?: number } = {}): World {
  const world = createWorld({ streams: 1, ...size });
  const leaves = world.leaves.map((leaf) => ({ ...leaf, receivedMs: leaf.receivedMs + DAY_MS }));
  return { ...world, leaves };
}

async function findings(world: World, more: Partial<VerifyInput> = {}): Promise<readonly Finding[]> {
  const { files } = writeExport({ ...world, rows: [] });
  files.set('actions/2026-11-21T09.jsonl', linesOf(world.rows));
  const { findings } = await verifyExport({
    files: filesIn(files),
    trusted: [noteVerifier(signer.verifierKey)],
    against: [],
    anchored: null,
    acceptsUnlogged: false,
    progress: () => undefined,
    ...more,
  });
  return findings;
}

/** Puts `count` records behind the last, each sealed as a link of the chain. */
function forge({ rows }: World, count: number): void {
  for (let more = 0; more < count; more += 1) {
    const last = rows.at(-1)!;
    const seq = Number(last.audit_seq) + 1;
    const forged = resealed(last, { seq, previous: last.audit_hash!, callId: `forged-${seq}` });
    rows.push({ ...forged, audit_seq: String(seq), call_id: `forged-${seq}` });
  }
}

/** Changes a record, and seals it and all after it anew. */
function sealAnew({ rows }: World, from: number, until = rows.length): void {
  rows[from] = { ...resealed(rows[from]!, { status: 'failure' }), status: 'failure' };
  for (let at = from + 1; at < until; at += 1)
    rows[at] = resealed(rows[at]!, { previous: rows[at - 1]!.audit_hash! });
}

describe('records whose requests came a day later', () => {
  it('hold', async () => {
    expect(await findings(createLate())).toEqual([]);
    expect(await findings(createLate({ records: MANY, together: 100 }))).toEqual([]);
  });

  it('with one that nobody sent behind the last: inserted', async () => {
    const world = createLate();
    forge(world, 1);
    expect(await findings(world)).toMatchObject([{ kind: 'inserted', seq: 24, call_id: 'forged-24' }]);
  });

  it('with more that nobody sent than are remembered: inserted', async () => {
    const world = createLate();
    forge(world, MANY);
    expect(await findings(world)).toMatchObject([{ kind: 'inserted', seq: 24 }]);
  });

  it('sealed anew before a stretch that was dropped, and so held to nothing behind it: altered', async () => {
    const world = createLate({ records: MANY, together: 10 });
    addRetention(world, 'a', 10, 19);
    world.rows.splice(10, 10);
    sealAnew(world, 3, 10);
    expect(await findings(world)).toMatchObject([{ kind: 'altered', seq: 9 }]);
  });

  it('sealed anew, with so many forged behind them that their own heads are forgotten: altered', async () => {
    const world = createLate();
    forge(world, MANY);
    sealAnew(world, 3);
    const found = await findings(world, { acceptsUnlogged: true });
    expect(found).toMatchObject([{ kind: 'altered', seq: 3, log_index: 1 }]);
  });
});
