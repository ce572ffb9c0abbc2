// The migrations as they run on a cluster: what each becomes, and that a statement nobody thought of is refused.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { clusterLayout } from '../../../collector/store/cluster.ts';
import { applied, migrations } from '../../../collector/store/migrate.ts';

const layout = clusterLayout('fleet');
const GOLDEN = join(import.meta.dirname, 'golden/cluster');

describe('a migration on a cluster', () => {
  test.each(migrations())('$name', async ({ name, statements }) => {
    const rewritten = statements.flatMap((statement) => layout.statements(statement));
    for (const statement of rewritten) {
      if (/^(CREATE|ALTER|DROP)/.test(statement)) expect(statement).toContain("ON CLUSTER 'fleet'");
      expect(statement).not.toMatch(/\bENGINE = \w*(?<!Replicated\w*)MergeTree/);
      expect(statement).not.toContain(' non_replicated_deduplication_window');
    }
    // Written once with `vitest -u`; from then on a landed migration never becomes something else.
    if (existsSync(join(GOLDEN, name)) || process.env.CI === undefined)
      await expect(`${rewritten.join(';\n\n')};\n`).toMatchFileSnapshot(join(GOLDEN, name));
  });
});

test('a view whose query is altered takes another name and its own again, to mark blocks as after a restart', () => {
  const [before, alter, ...after] = applied(
    '-- why\nALTER TABLE actions_mv MODIFY QUERY SELECT 1 FROM otel_traces',
    layout,
  );
  expect(before).toBe("RENAME TABLE IF EXISTS actions_mv_altered TO actions_mv ON CLUSTER 'fleet'");
  expect(alter).toContain("ALTER TABLE actions_mv ON CLUSTER 'fleet' MODIFY QUERY");
  expect(after).toEqual([
    "RENAME TABLE actions_mv TO actions_mv_altered ON CLUSTER 'fleet'",
    "RENAME TABLE actions_mv_altered TO actions_mv ON CLUSTER 'fleet'",
  ]);
});

test.each([
  'RENAME TABLE a TO b',
  'OPTIMIZE TABLE actions',
  'CREATE DICTIONARY d (a UInt8) PRIMARY KEY a SOURCE(NULL()) LAYOUT(FLAT())',
  'TRUNCATE TABLE actions',
  'CREATE TABLE IF NOT EXISTS x (a UInt8) ENGINE = Log',
])('refused, for no form of it is known: %s', (statement) => {
  expect(() => layout.statements(statement)).toThrow(/no (?:form for a cluster|replicated engine) is known/);
});

test('columns are added where rows lie and where they are asked for; indexes and settings only where they lie', () => {
  expect(
    layout.statements(
      'ALTER TABLE actions ADD COLUMN IF NOT EXISTS a Decimal(18, 9) CODEC(ZSTD(1)), ADD INDEX i a TYPE minmax, DROP COLUMN b',
    ),
  ).toEqual([
    "ALTER TABLE actions_local ON CLUSTER 'fleet' ADD COLUMN IF NOT EXISTS a Decimal(18, 9) CODEC(ZSTD(1)), ADD INDEX i a TYPE minmax, DROP COLUMN b",
    "ALTER TABLE actions ON CLUSTER 'fleet' ADD COLUMN IF NOT EXISTS a Decimal(18, 9), DROP COLUMN b",
  ]);
  expect(layout.statements('ALTER TABLE actions MODIFY SETTING x = 1, y = 2')).toEqual([
    "ALTER TABLE actions_local ON CLUSTER 'fleet' MODIFY SETTING x = 1, y = 2",
  ]);
});
