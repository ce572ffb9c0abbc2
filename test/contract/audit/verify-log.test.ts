// What a verification says of a log that was tampered with, cut, forked, or had its time.

import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../contract/audit/finding.ts';
import { encodeLeaf } from '../../../contract/audit/leaf.ts';
import { readCheckpoint, signCheckpoint } from '../../../kit/tlog/checkpoint.ts';
import { noteSigner, noteVerifier } from '../../../kit/tlog/note.ts';
import { decodeBundle, encodeBundle } from '../../../kit/tlog/tiles.ts';
import {
  addDropped,
  addPruned,
  createEnded,
  createWorld,
  leafOf,
  ORIGIN,
  prune,
  resealed,
  START_MS,
  type World,
  type WrittenExport,
  writeExport,
  writeFollowing,
} from './export-world.ts';
import { copy, findings, rowAt, verify, WORLD } from './verifying.ts';

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
