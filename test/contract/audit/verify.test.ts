// What a verification says of an export that was tampered with: AUD-05 (delete, edit or reorder a record) and AUD-06 (cut
// the tail of a chain), for each way to tamper and each place, and of exports that are as they should be.

import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../contract/audit/finding.ts';
import { encodeLeaf } from '../../../contract/audit/leaf.ts';
import { type Verified, type VerifyInput, verifyExport } from '../../../contract/audit/verify.ts';
import { noteSigner, noteVerifier } from '../../../kit/tlog/note.ts';
import { decodeBundle, encodeBundle } from '../../../kit/tlog/tiles.ts';
import {
  addRetention,
  createWorld,
  filesIn,
  leafOf,
  ORIGIN,
  type Row,
  resealed,
  signer,
  type World,
  type WrittenExport,
  writeExport,
} from './export-world.ts';

const trusted = [noteVerifier(signer.verifierKey)];

function verify({ files }: WrittenExport, more: Partial<VerifyInput> = {}): Promise<Verified> {
  return verifyExport({
    files: filesIn(files),
    trusted,
    against: [],
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

  it('holds with more than one level of tiles, and pruned to a minimum index', async () => {
    const large = createWorld({ records: 300, together: 1 });
    expect(large.leaves.length).toBeGreaterThan(600);
    expect(await findings(writeExport(large, [1, 256, 300, 601]))).toEqual([]);
    const fromMs = large.leaves[512]!.receivedMs;
    const since = new Date(fromMs).toISOString();
    const exported = large.leaves.filter(({ receivedMs }) => receivedMs >= fromMs);
    const heads = new Set(exported.flatMap(({ chains }) => chains.map(({ head }) => head)));
    const rows = large.rows.filter((row) => heads.has(row.audit_hash!));
    expect(rows.length).toBeGreaterThan(50);
    const control = large.control.filter((row) => heads.has(row.audit_hash!));
    const pruned = writeExport({ ...large, rows, control }, [], { minimum_index: 256, since });
    pruned.files.delete('tile/entries/000');
    expect(await findings(pruned)).toEqual([]);
    const whole = writeExport(large, [], { minimum_index: 256 });
    whole.files.delete('tile/entries/000');
    expect(await findings(whole)).toEqual([]);
    const head = large.leaves.slice(256).find(({ chains }) => chains[0]?.stream === 'a')!.chains[0]!;
    const cut = large.rows.filter((row) => row.audit_stream !== 'a' || Number(row.audit_seq) > head.first);
    const missing = writeExport({ ...large, rows: cut }, [], { minimum_index: 256 });
    expect(await findings(missing)).toMatchObject([{ kind: 'deleted', stream: 'a', seq: head.first }]);
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

const PLACES = { first: 0, middle: 13, 'last of its request': 15, last: 23 };

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

it('a folder that is no export is none', async () => {
  const files = filesIn(new Map());
  await expect(
    verifyExport({ files, trusted, against: [], acceptsUnlogged: false, progress: () => undefined }),
  ).rejects.toThrow('There is no MANIFEST.json: name a directory that `outrider audit export` wrote.');
  const written = writeExport(WORLD, [], { version: 9 });
  await expect(verify(written)).rejects.toThrow('The export is of version 9; this release reads 1.');
});
