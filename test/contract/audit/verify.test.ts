// What a verification says of an export that was tampered with: AUD-05 (delete, edit or reorder a record) and AUD-06 (cut
// the tail of a chain), for each way to tamper and each place, and of exports that are as they should be.

import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../contract/audit/finding.ts';
import { encodeLeaf } from '../../../contract/audit/leaf.ts';
import { hashOfEntry } from '../../../contract/audit/row.ts';
import { type Verified, type VerifyInput, verifyExport } from '../../../contract/audit/verify.ts';
import { CHAIN_START, canonicalJson, type Json } from '../../../contract/audit-entry.ts';
import { readCheckpoint, signCheckpoint } from '../../../kit/tlog/checkpoint.ts';
import { noteSigner, noteVerifier } from '../../../kit/tlog/note.ts';
import { decodeBundle, encodeBundle } from '../../../kit/tlog/tiles.ts';
import { exampleRecord } from '../../sidecar/example-record.ts';
import {
  addDropped,
  addPruned,
  addRetention,
  createEnded,
  createWorld,
  filesIn,
  leafOf,
  linesOf,
  ORIGIN,
  prune,
  type Row,
  resealed,
  rowOf,
  START_MS,
  signer,
  timestampOf,
  type World,
  type WrittenExport,
  writeExport,
  writeFollowing,
} from './export-world.ts';

const trusted = [noteVerifier(signer.verifierKey)];

function verify({ files }: WrittenExport, more: Partial<VerifyInput> = {}): Promise<Verified> {
  return verifyExport({
    files: filesIn(files),
    trusted,
    against: [],
    anchored: null,
    acceptsUnlogged: false,
    progress: () => undefined,
    ...more,
  });
}

async function findings(
  written: WrittenExport,
  more: Partial<VerifyInput> = {},
): Promise<readonly Finding[]> {
  return (await verify(written, more)).findings;
}

const WORLD = createWorld();
const copy = (): World => structuredClone(WORLD);
const rowAt = (world: World, stream: string, seq: number): number =>
  world.rows.findIndex((row) => row.audit_stream === stream && row.audit_seq === String(seq));

/** With the leaf whose claim holds record `seq` of stream `b`. */
const leafOfRecord = (world: World, seq: number): number =>
  world.leaves.findIndex(({ chains }) =>
    chains.some(({ stream, first, last }) => stream === 'b' && first <= seq && seq <= last),
  );

describe('an export as it was made', () => {
  it('holds, and says what was seen', async () => {
    expect(await verify(writeExport(WORLD, [1, 7, 12]))).toMatchObject({
      holds: true,
      origin: ORIGIN,
      leaves: WORLD.leaves.length,
      records: 48,
      streams: 2,
      control_events: WORLD.control.length,
      unlogged: 0,
      checkpoints: 3,
      findings: [],
    });
  });

  it('holds with more than one level of tiles', async () => {
    const large = createWorld({ records: 300, together: 1 });
    expect(large.leaves.length).toBeGreaterThan(600);
    expect(await findings(writeExport(large, [1, 256, 300, 601]))).toEqual([]);
  });

  it('holds whatever the order of its rows, and with a call that ran into a later hour', async () => {
    const world = createWorld({ streams: 1, records: 400, together: 7 });
    world.rows.reverse();
    expect(await findings(writeExport(world))).toEqual([]);
  });

  it('holds where a request was sent twice, with its rows twice', async () => {
    const world = copy();
    const again = world.leaves[leafOfRecord(world, 9)]!;
    world.leaves.push({ ...again, receivedMs: world.leaves.at(-1)!.receivedMs });
    const { first, last } = again.chains[0]!;
    for (let seq = first; seq <= last; seq += 1) world.rows.push(world.rows[rowAt(world, 'b', seq)]!);
    expect(await findings(writeExport(world))).toEqual([]);
  });

  it('holds without records that a retention run dropped, and not without more', async () => {
    const world = copy();
    addRetention(world, 'a', 0, 9);
    world.rows = world.rows.filter((row) => row.audit_stream !== 'a' || Number(row.audit_seq) > 9);
    expect(await findings(writeExport(world))).toEqual([]);
    world.rows.splice(rowAt(world, 'a', 10), 1);
    expect(await findings(writeExport(world))).toMatchObject([{ kind: 'deleted', stream: 'a', seq: 10 }]);
  });

  it('does not believe a retention run that no request in the log brought, not even where such events are accepted', async () => {
    const world = copy();
    addRetention(world, 'a', 0, 9);
    world.leaves.pop();
    world.rows = world.rows.filter((row) => row.audit_stream !== 'a' || Number(row.audit_seq) > 9);
    const found = await findings(writeExport(world), { acceptsUnlogged: true });
    expect(found).toMatchObject([{ kind: 'deleted', stream: 'a', seq: 0 }]);
  });

  it('counts records that no request brought, where they are accepted', async () => {
    const world = copy();
    world.leaves = world.leaves.filter(({ chains }) => !chains.some(({ stream }) => stream === 'b'));
    const written = writeExport(world);
    expect(await verify(written, { acceptsUnlogged: true })).toMatchObject({ holds: true, unlogged: 24 });
    expect(await findings(written)).toMatchObject([{ kind: 'inserted', stream: 'b', seq: 0 }]);
  });
});

/** `seq`: of the record of stream `b` that it is done to. */
interface Tampering {
  readonly how: string;
  do(world: World, seq: number): void;
  readonly kind: Finding['kind'];
  /** Where another record than `seq` is the one to name. */
  names?(seq: number): number;
}

const edited = (change: Partial<Row>) => (world: World, seq: number) => {
  const at = rowAt(world, 'b', seq);
  world.rows[at] = { ...world.rows[at]!, ...(change as Row) };
};

const TAMPERINGS: readonly Tampering[] = [
  ...Object.entries({
    cost_usd: '0.5',
    verdict: 'deny',
    agent_id: 'other',
    timestamp: '2026-11-21 09:00:01.000',
    duration_ms: '12.500001',
    tokens_in: null,
    http_status: '201',
    approved_by: 'somebody',
    task_id: 'task-2',
  }).map(([column, value]) => ({
    how: `column ${column} edited`,
    do: edited({ [column]: value }),
    kind: 'altered' as const,
  })),
  {
    how: 'entry edited, its hash left',
    do(world, seq) {
      const at = rowAt(world, 'b', seq);
      const row = world.rows[at]!;
      world.rows[at] = {
        ...row,
        audit_entry: row.audit_entry!.replace('"status":"success"', '"status":"failure"'),
      };
    },
    kind: 'altered',
  },
  {
    how: 'sealed anew, its neighbours left',
    do(world, seq) {
      const at = rowAt(world, 'b', seq);
      world.rows[at] = { ...resealed(world.rows[at]!, { status: 'failure' }), status: 'failure' };
    },
    kind: 'altered',
  },
  {
    how: 'deleted',
    do: (world, seq) => void world.rows.splice(rowAt(world, 'b', seq), 1),
    kind: 'deleted',
  },
  {
    how: 'stored twice',
    do: (world, seq) => void world.rows.push(world.rows[rowAt(world, 'b', seq)]!),
    kind: 'inserted',
  },
  {
    how: 'another with its number',
    do(world, seq) {
      const row = resealed(world.rows[rowAt(world, 'b', seq)]!, { callId: 'call-x' });
      world.rows.push({ ...row, call_id: 'call-x' });
    },
    kind: 'forked',
  },
  {
    how: 'cut off with all after it',
    do(world, seq) {
      world.rows = world.rows.filter((row) => row.audit_stream !== 'b' || Number(row.audit_seq) < seq);
    },
    kind: 'truncated',
  },
];

const MOVED_TO = {
  'a day back': '2026-11-20 08:59:59.000',
  'half a year ahead': '2027-05-21 09:00:00.000',
  'years back': '1999-01-01 00:00:00.000',
  'to no time': 'soon',
};

const PLACES = { first: 0, middle: 13, 'last of its request': 15, last: 23 };

describe('a log whose first entries had their time', () => {
  const large = createWorld({ records: 300, together: 1 });
  const pruned = structuredClone(large);
  addPruned(pruned, 256);
  const heads = new Set(pruned.leaves.slice(256).flatMap(({ chains }) => chains.map(({ head }) => head)));
  const rows = pruned.rows.filter((row) => heads.has(row.audit_hash!));
  const control = pruned.control.filter((row) => heads.has(row.audit_hash!));
  const written = (
    world: World = { ...pruned, rows, control },
    kept: readonly number[] = [],
  ): WrittenExport => {
    const made = writeExport(world, kept, { minimum_index: 256 });
    prune(made, 256);
    return made;
  };

  it('holds without them, with or without their rows', async () => {
    expect(rows.length).toBeGreaterThan(50);
    expect(await findings(written())).toEqual([]);
    expect(await findings(written(pruned))).toEqual([]);
  });

  it('is compared with the checkpoints of what is kept, and says of how many it can not be', async () => {
    const { holds, checkpoints, incomparable } = await verify(written(undefined, [1, 255, 256, 300, 601]));
    expect([holds, checkpoints, incomparable]).toEqual([true, 3, 2]);
    const forged = written(undefined, [256, 300]);
    const other = writeExport({ ...pruned, leaves: pruned.leaves.toReversed() });
    for (const size of [256, 300]) {
      const files = new Map(forged.files).set('checkpoints/x', Buffer.from(other.checkpointAt(size)));
      expect(await findings({ ...forged, files })).toMatchObject([{ kind: 'forked', file: 'checkpoints/x' }]);
    }
  });

  it('does not hold where nothing that was told outside can be compared', async () => {
    const note = written().checkpointAt(255);
    expect(await findings(written(), { anchored: [{ name: '/worm/255', note, toldMs: 0 }] })).toMatchObject([
      { kind: 'deleted', in: 'checkpoint' },
    ]);
  });

  it('forked at one that was told outside, before it is truncated at a longer one', async () => {
    const other = structuredClone(pruned);
    other.leaves[400] = { ...other.leaves[400]!, sender: 'another' };
    other.leaves.push(other.leaves.at(-1)!);
    const { checkpointAt } = writeExport(other);
    const told = [500, other.leaves.length].map((at) => ({
      ...{ name: `/worm/${at}`, note: checkpointAt(at), toldMs: START_MS },
    }));
    expect(await findings(written(), { anchored: told.toReversed() })).toMatchObject([
      { kind: 'forked', file: '/worm/500' },
      { kind: 'truncated' },
    ]);
  });

  it('tells a log that went on after the export from one that was cut before it', async () => {
    const longer = structuredClone(pruned);
    longer.leaves.push(longer.leaves.at(-1)!);
    const note = writeExport(longer).checkpointAt(longer.leaves.length);
    const before = { name: '/worm/300', note: written().checkpointAt(300), toldMs: START_MS };
    const told = (toldMs: number) => ({ anchored: [before, { name: '/worm/new', note, toldMs }] });
    expect(await verify(written(), told(START_MS + 1))).toMatchObject({ holds: true, later: 1 });
    expect(await findings(written(), told(START_MS))).toMatchObject([
      { kind: 'truncated', file: '/worm/new' },
    ]);
  });

  it('misses a record of what is kept', async () => {
    const head = pruned.leaves.slice(256).find(({ chains }) => chains[0]?.stream === 'a')!.chains[0]!;
    const cut = rows.filter((row) => row.audit_stream !== 'a' || Number(row.audit_seq) > head.first);
    expect(await findings(written({ ...pruned, rows: cut, control }))).toMatchObject([
      { kind: 'deleted', stream: 'a', seq: head.first },
    ]);
  });

  it('does not hold where the log does not say that they went', async () => {
    expect(await findings(written({ ...large, rows, control }))).toMatchObject([
      { kind: 'deleted', in: 'leaf', log_index: 0, what: expect.stringMatching('does not say') },
    ]);
  });

  it('does not hold where the log says so of another stretch alone', async () => {
    const other = structuredClone(large);
    addPruned(other, 256);
    other.leaves[other.leaves.length - 1] = { ...other.leaves.at(-1)!, items: 512 };
    expect(await findings(written({ ...other, rows, control }))).toMatchObject([
      { kind: 'deleted', in: 'leaf', log_index: 0, what: expect.stringMatching('does not say') },
    ]);
  });

  it('does not hold where they went before their time', async () => {
    const early = structuredClone(large);
    addPruned(early, 256, 89);
    expect(await findings(written({ ...early, rows, control }))).toMatchObject([
      { kind: 'deleted', in: 'leaf', log_index: 0, what: expect.stringMatching('89 days old') },
    ]);
  });

  it('does not hold where more is missing than went', async () => {
    const made = written();
    for (const path of ['tile/1/000.p/2', 'tile/0/001', 'tile/entries/001']) {
      const files = new Map(made.files);
      expect(files.delete(path), path).toBe(true);
      expect((await findings({ ...made, files }))[0], path).toMatchObject({ kind: 'deleted' });
    }
  });
});

describe('AUD-05, AUD-06: a record', () => {
  const cases = TAMPERINGS.flatMap((tampering) =>
    Object.entries(PLACES).map(([place, seq]) => ({ ...tampering, place, seq })),
  );

  it.each(cases)('$how, the $place: $kind', async ({ seq, kind, do: tamper, how }) => {
    const world = copy();
    tamper(world, seq);
    const [first, ...more] = await findings(writeExport(world));
    // With nothing left behind it, a deleted last record is a chain cut off.
    const named = how === 'deleted' && seq === 23 ? 'truncated' : kind;
    expect(first).toMatchObject({ kind: named, in: 'record', stream: 'b', seq });
    if (kind === 'deleted' || kind === 'truncated')
      expect(first).toMatchObject({ log_index: leafOfRecord(world, seq) });
    else expect(first?.call_id).toMatch(/^call-/);
    for (const finding of more) expect(finding).toMatchObject({ stream: 'b', seq });
  });

  it.each([0, 12, 22])("%i and its neighbour in each other's place: reordered", async (seq) => {
    const world = copy();
    const [one, other] = [rowAt(world, 'b', seq), rowAt(world, 'b', seq + 1)];
    const [row, next] = [world.rows[one]!, world.rows[other]!];
    world.rows[one] = { ...next, audit_seq: row.audit_seq! };
    world.rows[other] = { ...row, audit_seq: next.audit_seq! };
    expect(await findings(writeExport(world))).toMatchObject([
      { kind: 'reordered', stream: 'b', seq },
      { kind: 'reordered', stream: 'b', seq: seq + 1 },
    ]);
  });

  it.each(Object.entries(MOVED_TO))(
    'moved in time, %s, as a broken clock is: altered',
    async (_how, timestamp) => {
      const world = copy();
      edited({ timestamp })(world, 13);
      const written = writeExport({ ...world, rows: [] });
      written.files.set('actions/2026-11-21T09.jsonl', linesOf(world.rows));
      for (const acceptsUnlogged of [false, true])
        expect(await findings(written, { acceptsUnlogged })).toMatchObject([
          { kind: 'altered', stream: 'b', seq: 13 },
        ]);
    },
  );

  it('of a clock that was broken shows when its request came, and no other time', async () => {
    for (const [startedAtMs, isSo] of [
      [START_MS - 91 * 86_400_000, true],
      [START_MS + 2 * 86_400_000, true],
      [START_MS - 89 * 86_400_000, false],
    ] as const) {
      const sealed = rowOf(exampleRecord({ startedAtMs }), { stream: 'z', seq: 0, previous: CHAIN_START });
      const came = leafOf([sealed], 'traces');
      const world = copy();
      const shown = (ms: number): Row => ({ ...sealed, timestamp: timestampOf(ms) });
      world.leaves.splice(1, 0, came);
      world.rows.push(shown(came.receivedMs));
      expect((await verify(writeExport(world))).holds).toBe(isSo);
      world.rows[world.rows.length - 1] = shown(came.receivedMs + 1_000);
      expect(await findings(writeExport(world))).toMatchObject([{ kind: 'altered', stream: 'z', seq: 0 }]);
    }
  });

  it('of an entry without a version may be shown a millisecond late, and no more', async () => {
    const world = copy();
    const sealed = rowOf(exampleRecord({ startedAtMs: START_MS }), {
      stream: 'z',
      seq: 0,
      previous: CHAIN_START,
    });
    const { version: _, ...entry } = JSON.parse(sealed.audit_entry!) as Record<string, Json>;
    const audit_entry = canonicalJson(entry);
    const old = { ...sealed, audit_entry, audit_hash: hashOfEntry(audit_entry) };
    world.leaves.splice(1, 0, leafOf([old], 'traces'));
    world.rows.push({ ...old, timestamp: timestampOf(START_MS + 1) });
    expect(await findings(writeExport(world))).toEqual([]);
    world.rows[world.rows.length - 1]!.timestamp = timestampOf(START_MS + 2);
    expect(await findings(writeExport(world))).toMatchObject([{ kind: 'altered', stream: 'z', seq: 0 }]);
  });

  it('with a column twice, so that another reader reads another: altered', async () => {
    const written = writeExport(WORLD);
    const file = 'actions/2026-11-21T09.jsonl';
    const [line = '', ...more] = written.files.get(file)!.toString().split('\n');
    const twice = line.replace('{', '{"status":"failure",');
    written.files.set(file, Buffer.from([twice, ...more].join('\n')));
    expect((await findings(written))[0]).toMatchObject({ kind: 'altered', file });
    written.files.set(file, Buffer.from([line.replaceAll(',"', ' , "'), ...more].join('\n')));
    expect(await findings(written)).toEqual([]);
  });

  it('that nobody sent, behind the last one: inserted', async () => {
    const world = copy();
    const last = world.rows[rowAt(world, 'b', 23)]!;
    world.rows.push(resealed(last, { seq: 24, previous: last.audit_hash!, callId: 'call-x' }));
    world.rows.at(-1)!.audit_seq = '24';
    world.rows.at(-1)!.call_id = 'call-x';
    const found = await findings(writeExport(world));
    expect(found).toMatchObject([{ kind: 'inserted', stream: 'b', seq: 24, call_id: 'call-x' }]);
  });

  it('in a chain nobody sent: inserted', async () => {
    const world = copy();
    world.rows.push(resealed(world.rows[rowAt(world, 'b', 0)]!, { stream: 'z' }));
    world.rows.at(-1)!.audit_stream = 'z';
    expect(await findings(writeExport(world))).toMatchObject([{ kind: 'inserted', stream: 'z', seq: 0 }]);
  });

  it('altered, with every record after it sealed anew: the first head that the log was told is not met', async () => {
    const world = copy();
    let previous = '';
    for (let seq = 13; seq < 24; seq += 1) {
      const at = rowAt(world, 'b', seq);
      const change = seq === 13 ? { status: 'failure' } : { previous };
      world.rows[at] = resealed(world.rows[at]!, change);
      if (seq === 13) world.rows[at]!.status = 'failure';
      previous = world.rows[at]!.audit_hash!;
    }
    const [first] = await findings(writeExport(world));
    expect(first).toMatchObject({
      kind: 'altered',
      stream: 'b',
      seq: 15,
      log_index: leafOfRecord(world, 13),
    });
  });

  it('whose whole chain is gone: truncated', async () => {
    const world = copy();
    world.rows = world.rows.filter((row) => row.audit_stream !== 'b');
    expect(await findings(writeExport(world))).toMatchObject([{ kind: 'truncated', stream: 'b', seq: 0 }]);
  });

  it('that does not read is named by its file', async () => {
    const written = writeExport(WORLD);
    const path = [...written.files.keys()].find((file) => file.startsWith('actions/'))!;
    written.files.set(path, Buffer.concat([written.files.get(path)!, Buffer.from('{"audit_entry":\n')]));
    expect(await findings(written)).toMatchObject([{ kind: 'altered', in: 'record', file: path }]);
  });
});

describe('a control event', () => {
  const tamperings: readonly [Finding['kind'], (rows: Row[]) => unknown, number][] = [
    ['altered', (rows: Row[]) => rows.splice(1, 1, { ...rows[1]!, actor: 'nobody' }), 1],
    ['altered', (rows: Row[]) => rows.splice(0, 1, { ...rows[0]!, details: '{"mode":"enforce"}' }), 0],
    ['deleted', (rows: Row[]) => rows.splice(0, 1), 0],
    ['truncated', (rows: Row[]) => rows.pop(), 1],
    ['inserted', (rows: Row[]) => rows.push(rows[1]!), 1],
    ['reordered', (rows: Row[]) => rows.reverse(), 0],
  ];

  it.each(
    Object.entries({
      id: '77',
      event: 'token_created',
      actor: 'nobody',
      agent_id: 'other',
      reason: 'none',
      timestamp: '2026-11-21 09:00:00.001',
      details: '{}',
    }),
  )('with another %s: altered', async (column, value) => {
    const world = copy();
    world.control[1] = { ...world.control[1]!, [column]: value };
    const [found, ...more] = await findings(writeExport(world));
    expect(found).toMatchObject({ kind: 'altered', in: 'control event', seq: 1 });
    expect(found!.what).toContain(`column ${column} `);
    expect(more).toEqual([]);
  });

  it.each(tamperings)('%s', async (kind, tamper, seq) => {
    const world = copy();
    expect(world.control.length).toBe(2);
    tamper(world.control);
    const found = await findings(writeExport(world));
    expect(found).toMatchObject([{ kind, in: 'control event', stream: 'control/0011', seq }]);
  });
});

describe('the log', () => {
  const large = createWorld({ records: 330, together: 1 });
  const size = large.leaves.length;
  const withEntries = (path: string, change: (entries: Buffer[]) => void): WrittenExport => {
    const written = writeExport(large);
    const entries = decodeBundle(written.files.get(path)!);
    change(entries);
    written.files.set(path, encodeBundle(entries));
    return written;
  };
  const last = `tile/entries/002.p/${size - 512}`;

  it.each([
    ['tile/entries/001', 'deleted', 511],
    [last, 'truncated', size - 1],
  ])('with %s cut off in its last entry: %s', async (path, kind, log_index) => {
    const written = writeExport(large);
    written.files.set(path, written.files.get(path)!.subarray(0, -1));
    expect(await findings(written)).toMatchObject([{ kind, in: 'leaf', log_index }]);
  });

  it.each([
    ['tile/entries/000', 0, 0],
    ['tile/entries/001', 100, 356],
    [last, size - 513, size - 1],
  ])('with an entry of %s altered', async (path, at, log_index) => {
    const written = withEntries(path, (entries) => {
      const other = { ...large.leaves[log_index]!, sender: 'somebody' };
      entries[at] = encodeLeaf(other);
    });
    expect(await findings(written)).toMatchObject([{ kind: 'altered', in: 'leaf', log_index }]);
  });

  const tamperings: readonly [Finding['kind'], string, (entries: Buffer[]) => unknown, number][] = [
    ['deleted', 'tile/entries/001', (entries: Buffer[]) => entries.splice(7, 1), 263],
    ['inserted', 'tile/entries/001', (entries: Buffer[]) => entries.splice(7, 0, Buffer.of(1)), 263],
    [
      'reordered',
      'tile/entries/001',
      (entries: Buffer[]) => entries.splice(7, 2, entries[8]!, entries[7]!),
      263,
    ],
    ['truncated', last, (entries: Buffer[]) => entries.pop(), size - 1],
  ];

  it.each(tamperings)('with an entry %s', async (kind, path, change, log_index) => {
    const found = await findings(withEntries(path, change));
    expect(found).toMatchObject([{ kind, in: 'leaf', log_index }]);
  });

  it.each(['tile/0/000', 'tile/0/001', `tile/0/002.p/${size - 512}`, 'tile/1/000.p/2'])(
    'with %s altered',
    async (file) => {
      const written = writeExport(large);
      const bytes = Buffer.from(written.files.get(file)!);
      bytes[40]! ^= 1;
      written.files.set(file, bytes);
      const found = await findings(written);
      expect(found).toMatchObject([{ kind: 'altered', in: 'tile', file }]);
    },
  );

  it('with a tile missing, or a bundle', async () => {
    const written = writeExport(large);
    written.files.delete('tile/0/001');
    expect(await findings(written)).toMatchObject([{ kind: 'deleted', in: 'tile', file: 'tile/0/001' }]);
    written.files.delete('tile/entries/001');
    expect((await findings(written))[0]).toMatchObject({ kind: 'deleted', in: 'tile' });
    const bundle = writeExport(large);
    bundle.files.delete('tile/entries/001');
    expect(await findings(bundle)).toMatchObject([{ kind: 'deleted', in: 'leaf', log_index: 256 }]);
  });

  it('rebuilt with another entry, signature left: says from where to where by the checkpoints kept', async () => {
    const rebuilt = structuredClone(large);
    rebuilt.leaves[300] = { ...rebuilt.leaves[300]!, sender: 'somebody' };
    const written = writeExport(rebuilt);
    const original = writeExport(large, [290, 310]);
    for (const path of ['checkpoint', 'checkpoints/290', 'checkpoints/310'])
      written.files.set(path, original.files.get(path)!);
    const found = await findings(written);
    expect(found).toMatchObject([{ kind: 'altered', in: 'leaf', log_index: 290 }]);
    expect(found[0]?.what).toMatch(/from here to 309/);
  });

  it('rebuilt and signed anew with the same key: found by a checkpoint kept elsewhere alone', async () => {
    const rebuilt = structuredClone(large);
    rebuilt.leaves[300] = { ...rebuilt.leaves[300]!, sender: 'somebody' };
    const written = writeExport(rebuilt);
    expect(await findings(written)).toEqual([]);
    const note = writeExport(large).checkpointAt(400);
    const found = await findings(written, { against: [{ name: '/worm/400', note }] });
    expect(found).toMatchObject([{ kind: 'forked', in: 'checkpoint', file: '/worm/400' }]);
    const before = writeExport(large).checkpointAt(300);
    expect(await findings(written, { against: [{ name: '/worm/300', note: before }] })).toEqual([]);
  });

  it('put back to an earlier state with its checkpoint: truncated, by a checkpoint kept elsewhere', async () => {
    const written = writeExport(WORLD);
    const longer = copy();
    longer.leaves.push({ ...longer.leaves.at(-1)! });
    const note = writeExport(longer).checkpointAt(longer.leaves.length);
    const found = await findings(written, { against: [{ name: 'newer', note }] });
    expect(found).toMatchObject([{ kind: 'truncated', in: 'checkpoint', log_index: WORLD.leaves.length }]);
  });

  it('of two heads for one record: the one that is not in the rows is named', async () => {
    const world = copy();
    const other = resealed(world.rows[rowAt(world, 'b', 23)]!, { callId: 'call-x' });
    world.leaves.push({ ...leafOf([other], 'traces'), receivedMs: world.leaves.at(-1)!.receivedMs });
    const found = await findings(writeExport(world));
    expect(found).toMatchObject([
      { kind: 'altered', stream: 'b', seq: 23, log_index: world.leaves.length - 1 },
    ]);
  });

  it('whose clock went back is reordered there', async () => {
    const world = copy();
    world.leaves[9] = { ...world.leaves[9]!, receivedMs: world.leaves[9]!.receivedMs - 3_600_000 };
    const found = await findings(writeExport(world));
    expect(found).toMatchObject([{ kind: 'reordered', in: 'leaf', log_index: 9 }]);
  });
});

describe('a checkpoint', () => {
  it('altered, of another key, or missing is not signed', async () => {
    const written = writeExport(WORLD);
    const note = written.files.get('checkpoint')!.toString();
    written.files.set('checkpoint', Buffer.from(note.replace(`\n${WORLD.leaves.length}\n`, '\n9\n')));
    expect(await findings(written)).toMatchObject([
      { kind: 'unsigned', in: 'checkpoint', file: 'checkpoint' },
    ]);
    const other = noteSigner(ORIGIN, generateKeyPairSync('ed25519').privateKey);
    const found = await findings(writeExport(WORLD), { trusted: [noteVerifier(other.verifierKey)] });
    expect(found).toMatchObject([{ kind: 'unsigned', in: 'checkpoint' }]);
    written.files.delete('checkpoint');
    expect(await findings(written)).toMatchObject([{ kind: 'deleted', in: 'checkpoint' }]);
  });

  it('kept, but altered, is named by its file', async () => {
    const written = writeExport(WORLD, [5]);
    const note = written.files.get('checkpoints/5')!.toString();
    written.files.set('checkpoints/5', Buffer.from(note.replace('\n5\n', '\n6\n')));
    expect(await findings(written)).toMatchObject([{ kind: 'unsigned', file: 'checkpoints/5' }]);
  });
});

describe('a log that ended before', () => {
  const ENDED = 'outrider/test/ended';
  const writeEnded = (minutes: number) => writeExport(createEnded(minutes), [], {}, ENDED);
  const ended = writeEnded(300);
  const anchored = (log: WrittenExport, size: number) => ({
    ...{ name: `/worm/ended/checkpoint-${size}`, note: log.checkpointAt(size), toldMs: 0 },
  });
  const own = (written: WrittenExport) => ({
    ...{ name: '/worm/own', note: written.checkpointAt(9), toldMs: 0 },
  });

  it('is held to what was told outside of it, under its own name', async () => {
    const written = writeFollowing(WORLD, ended);
    const told = [own(written), anchored(ended, 7), anchored(ended, 301)];
    expect(await verify(written, { anchored: told })).toMatchObject({ holds: true, checkpoints: 3 });
  });

  it('forked: was changed before it ended', async () => {
    const written = writeFollowing(WORLD, ended);
    const told = [own(written), anchored(ended, 7), anchored(writeEnded(299), 256)];
    expect(await findings(written, { anchored: told })).toMatchObject([
      { kind: 'forked', in: 'checkpoint', file: '/worm/ended/checkpoint-256' },
    ]);
  });

  it('truncated: went on where it ends here', async () => {
    const shorter = writeEnded(300);
    const written = writeFollowing(WORLD, shorter);
    const longer = createEnded(300);
    longer.leaves.push(longer.leaves.at(-1)!);
    const beyond = anchored(writeExport(longer, [], {}, ENDED), 302);
    expect(await findings(written, { anchored: [own(written), beyond] })).toMatchObject([
      { kind: 'truncated', in: 'checkpoint', file: beyond.name, log_index: 301 },
    ]);
  });

  it('unsigned: was told of by another key', async () => {
    const written = writeFollowing(WORLD, ended);
    const forger = noteSigner(ENDED, generateKeyPairSync('ed25519').privateKey);
    const { size, root } = readCheckpoint(`${ended.checkpointAt(7).split('\n\n', 1)[0]}\n`);
    const note = signCheckpoint({ origin: ENDED, size, root }, [forger]);
    const told = [own(written), { name: '/worm/forged', note, toldMs: 0 }];
    expect(await findings(written, { anchored: told })).toMatchObject([
      { kind: 'unsigned', file: '/worm/forged' },
    ]);
  });
});

describe('a log that ended and had its time', () => {
  const ENDED = 'outrider/test/ended';
  const ended = writeExport(createEnded(600), [], {}, ENDED);
  const without = (written: WrittenExport): WrittenExport => {
    for (const path of written.files.keys()) if (path.startsWith('logs/')) written.files.delete(path);
    return written;
  };

  it('need not be there where a later one says that it was dropped', async () => {
    const world = copy();
    addDropped(world, ended);
    expect(await verify(without(writeFollowing(world, ended)))).toMatchObject({ holds: true, records: 48 });
    expect(await verify(writeFollowing(world, ended))).toMatchObject({ holds: true, records: 48 });
  });

  it('takes records along, of chains that go on', async () => {
    const world = copy();
    const gone = world.leaves.findIndex(({ chains }) => chains.some(({ stream }) => stream === 'a'));
    world.leaves.splice(gone, 1);
    addDropped(world, ended);
    const rows = world.rows.filter(
      ({ audit_stream, audit_seq }) => audit_stream !== 'a' || Number(audit_seq) > 3,
    );
    expect(rows.length).toBe(world.rows.length - 4);
    expect(await verify(without(writeFollowing({ ...world, rows }, ended)))).toMatchObject({ holds: true });
  });

  it('deleted: nobody says that it was dropped', async () => {
    const other = writeExport(createEnded(601), [], {}, ENDED);
    const world = copy();
    addDropped(world, other);
    for (const each of [world, WORLD])
      expect(await findings(without(writeFollowing(each, ended)))).toMatchObject([
        { kind: 'deleted', in: 'checkpoint', what: expect.stringContaining('does not say that they went') },
      ]);
  });

  it('deleted: it was dropped before its time', async () => {
    const world = copy();
    addDropped(world, ended, 89);
    expect(await findings(without(writeFollowing(world, ended)))).toMatchObject([
      { kind: 'deleted', in: 'checkpoint', what: expect.stringContaining('89 days old') },
    ]);
  });

  it('may lack its first entries, where it says so itself and the manifest says which', async () => {
    const half = createEnded(600);
    half.leaves.forEach((leaf, at) => {
      half.leaves[at] = { ...leaf, receivedMs: leaf.receivedMs - (at < 512 ? 90 * 86_400_000 : 0) };
    });
    const said = { ...half.leaves.at(-1)!, kind: 'pruned' as const, items: 256 };
    half.leaves.push(said);
    const written = writeExport(half, [], {}, ENDED);
    prune(written, 256);
    const logs = [{ name: 'ended', minimum_index: 256 }];
    expect(await verify(writeFollowing(WORLD, written, { logs }))).toMatchObject({ holds: true });
    const [first] = await findings(writeFollowing(WORLD, written));
    expect(first).toMatchObject({ kind: 'deleted', file: 'logs/ended/tile/0/000' });
    prune(written, 512);
    const more = { logs: [{ name: 'ended', minimum_index: 512 }] };
    expect(await findings(writeFollowing(WORLD, written, more))).toMatchObject([
      { kind: 'deleted', in: 'leaf', what: expect.stringContaining('up to 511') },
    ]);
  });
});

it('a folder that is no export is none', async () => {
  const files = filesIn(new Map());
  await expect(
    verifyExport({
      files,
      trusted,
      against: [],
      anchored: null,
      acceptsUnlogged: false,
      progress: () => undefined,
    }),
  ).rejects.toThrow('There is no MANIFEST.json: name a directory that `outrider audit export` wrote.');
  const written = writeExport(WORLD, [], { version: 9 });
  await expect(verify(written)).rejects.toThrow('The export is of version 9; this release reads 1.');
});

describe('what no one signed', () => {
  it('a kept checkpoint that can’t be read: unsigned', async () => {
    const { files } = writeExport(WORLD);
    const inFolder = filesIn(files);
    const list: typeof inFolder.list = async (folder) =>
      folder === 'checkpoints' ? ['folder'] : inFolder.list(folder);
    const found = await verifyExport({
      ...{ files: { ...inFolder, list }, trusted, against: [], anchored: null, acceptsUnlogged: false },
      progress: () => undefined,
    });
    expect(found.findings).toMatchObject([{ kind: 'unsigned', file: 'checkpoints/folder' }]);
  });

  it('an event that was never sealed is inserted, or counted where that is accepted', async () => {
    const world = copy();
    const { audit_entry, audit_hash, audit_seq, ...row } = world.control[0]!;
    world.control.push({ ...row, id: '99', audit_stream: '' });
    const written = writeExport(world);
    expect(await findings(written)).toMatchObject([
      { kind: 'inserted', in: 'control event', what: expect.stringContaining('id 99') },
    ]);
    expect(await verify(written, { acceptsUnlogged: true })).toMatchObject({ holds: true, unlogged: 1 });
  });

  it('a policy’s text that was not sealed: altered', async () => {
    const world = copy();
    const row = world.control[0]!;
    const details = {
      ...(JSON.parse(row.details!) as object),
      sources: [{ file: 'a', text: 'mode: observe' }],
    };
    world.control[0] = { ...row, details: JSON.stringify(details) };
    expect(await findings(writeExport(world))).toMatchObject([
      { kind: 'altered', in: 'control event', what: expect.stringContaining('details') },
    ]);
  });

  it('a manifest that leaves out what was taken away is told, with its times', async () => {
    const range = { since: null, until: '2026-11-21T09:00:00.000Z' };
    const written = writeExport({ ...WORLD, rows: [], control: [] }, [], range);
    expect(await verify(written)).toMatchObject({ holds: true, records: 0, ...range });
  });

  it.each([
    { since: 'some day' },
    { until: 5e18 },
    { since: undefined },
    { minimum_index: 1 },
    { minimum_index: -256 },
    { logs: [{ name: 'ended', minimum_index: 1 }] },
    { logs: {} },
  ])('a manifest that says %j is none', async (manifest) => {
    await expect(verify(writeExport(WORLD, [], manifest))).rejects.toThrow('MANIFEST.json names no');
  });

  it('a manifest that is no JSON is none', async () => {
    const written = writeExport(WORLD);
    written.files.set('MANIFEST.json', Buffer.from('{'));
    await expect(verify(written)).rejects.toThrow('MANIFEST.json is not JSON');
    written.files.set('MANIFEST.json', Buffer.from('null'));
    await expect(verify(written)).rejects.toThrow('The export is of version undefined');
  });

  it.each([-256, 3, '256', null])('a manifest with the minimum index %j is none', async (minimum_index) => {
    const written = writeExport(WORLD, [], { minimum_index });
    await expect(verify(written)).rejects.toThrow('minimum_index that is a multiple of 256');
  });
});
