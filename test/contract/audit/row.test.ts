// A row as the store makes it of a sealed record agrees with it, whatever the record holds; entries of an earlier release
// too, as far as they go; and no column can say otherwise unnoticed.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  disagreement,
  isClampedTo,
  readEntry,
  type SealedEntry,
  shownBetween,
} from '../../../contract/audit/row.ts';
import { CHAIN_START } from '../../../contract/audit-entry.ts';
import { exampleRecord } from '../../sidecar/example-record.ts';
import { type Row, rowOf } from './export-world.ts';

const newChain = () => ({ stream: 's', seq: 0, previous: CHAIN_START });
const entryOf = (row: Row): SealedEntry => readEntry(row.audit_entry!)!;

describe('a row', () => {
  it('agrees with its entry, whatever was recorded', () => {
    const maybe = fc.option(fc.nat());
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        maybe,
        fc.double({ min: 0, max: 1e7, noNaN: true }),
        fc.option(fc.bigInt(0n, 10n ** 15n)),
        (target, tokensIn, startedAfterMs, costNanodollars) => {
          const startedAtMs = 1_795_000_000_000 + startedAfterMs;
          const row = rowOf(exampleRecord({ target, tokensIn, startedAtMs, costNanodollars }), newChain());
          expect(disagreement(row, entryOf(row))).toBeNull();
        },
      ),
    );
  });

  const row = rowOf(exampleRecord({ tokensCached: null }), newChain());
  const apart = ['audit_stream', 'audit_seq', 'audit_hash', 'audit_entry'];

  it.each(Object.keys(row).filter((column) => !apart.includes(column)))(
    'says otherwise in %s alone',
    (column) => {
      const other = column === 'timestamp' ? '2026-01-01 00:00:00.000' : '77';
      expect(disagreement({ ...row, [column]: other }, entryOf(row))).toBe(column);
      if (row[column] !== null && row[column] !== '')
        expect(disagreement({ ...row, [column]: null }, entryOf(row))).toBe(column);
    },
  );

  it.each([
    ['2025-08-26 16:00:00.000', true],
    ['2025-11-25 16:00:00.000', false],
    ['2026-02-22 15:59:59.000', false],
    ['2026-03-01 16:00:00.000', true],
  ])('of a clock that was wrong shows when it came: %s', (timestamp, isRight) => {
    // it says 2025-11-24T16:00:00Z
    expect(disagreement({ ...row, timestamp }, entryOf(row))).toBe(isRight ? null : 'timestamp');
  });

  it('agrees with an entry of an earlier release, which rounds the duration and lacks the version', () => {
    const { version: _version, durationNanoseconds: _exact, attempt: _attempt, ...older } = entryOf(row);
    const entry = { ...older, durationMs: 13 } as SealedEntry;
    expect(disagreement(row, entry)).toBeNull();
    expect(disagreement({ ...row, depth: '0' }, { ...entry, depth: 3 })).toBeNull();
    expect(disagreement({ ...row, depth: '0' }, { ...entryOf(row), depth: 3 })).toBe('depth');
    expect(disagreement({ ...row, duration_ms: '13.6' }, entry)).toBe('duration_ms');
  });

  it('of a request that came within a time stands where an export of that time looks', () => {
    const [since, until] = [1_795_000_000_000, 1_795_000_600_000];
    const { from, until: end } = shownBetween(since, until);
    for (const [receivedMs, beganMs] of [
      [since, since - 90 * 86_400_000 + 1],
      [until - 1, until + 86_400_000 - 2],
    ] as const) {
      expect(isClampedTo(receivedMs, beganMs)).toBe(false);
      expect(from <= beganMs && beganMs < end).toBe(true);
    }
  });

  it('has no entry where there is none that reads', () => {
    for (const text of ['', '{', 'null', '[]', '{"stream":"s","seq":1.5,"previous":""}', '{"seq":1}'])
      expect(readEntry(text)).toBeNull();
  });
});
