// What a verification says of exports that are as they should be, and of what in one no one signed.

import { describe, expect, it } from 'vitest';
import { verifyExport } from '../../../contract/audit/verify.ts';
import { addRetention, createWorld, filesIn, ORIGIN, writeExport } from './export-world.ts';
import { copy, findings, leafOfRecord, rowAt, trusted, verify, WORLD } from './verifying.ts';

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
