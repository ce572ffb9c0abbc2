// What making a table's rows once more rests on: a view computes the same each time, and tables of sums are known as such.

import { expect, test } from 'vitest';
import { migrations } from '../../../collector/store/migrate.ts';
import { REBUILDABLE } from '../../../contract/rebuild.ts';

const STATEMENTS = migrations().flatMap(({ statements }) => statements);
const found = (pattern: RegExp) => STATEMENTS.flatMap((statement) => [...statement.matchAll(pattern)]);

test('nothing that a view computes is of the moment, but when a dead letter was loaded', () => {
  const ofTheMoment = found(/\b(?:now|now64|today|rand\w*|generateUUID\w*)\([^)]*\)[^\n]*/g);
  expect(ofTheMoment.map(([line]) => line)).toEqual(['now64(3) AS loaded_at,']);
});

test('tables whose merges sum rows up can be made anew from others', () => {
  const sums = found(
    /^CREATE TABLE (?:IF NOT EXISTS )?(\w+)[^;]*ENGINE = (?:Aggregating|Summing)MergeTree/gm,
  );
  expect(sums.length).toBeGreaterThan(4);
  expect(REBUILDABLE).toEqual(expect.arrayContaining(sums.map(([, name]) => name)));
});
