// What a verification says of records and control events that were tampered with: AUD-05 (delete, edit or reorder a record)
// and AUD-06 (cut the tail of a chain), for each way to tamper and each place.

import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../contract/audit/finding.ts';
import { hashOfEntry } from '../../../contract/audit/row.ts';
import { CHAIN_START, canonicalJson, type Json } from '../../../contract/audit-entry.ts';
import { exampleRecord } from '../../sidecar/example-record.ts';
import {
  leafOf,
  linesOf,
  type Row,
  resealed,
  rowOf,
  START_MS,
  timestampOf,
  type World,
  writeExport,
} from './export-world.ts';
import { copy, findings, leafOfRecord, rowAt, verify, WORLD } from './verifying.ts';

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
