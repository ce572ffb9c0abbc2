// Counted tables that may lack rows, because a ClickHouse server was killed in the middle of a load: on record until they are
// made anew (../rebuild.ts), for the next life of the collector knows of no such load.

import { REBUILDABLE, type Rebuildable } from '../../contract/rebuild.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Database } from './database.ts';

export interface SumsInDoubt {
  /** `segment`: whose load it was. Throws as the database does. */
  note(tables: readonly Rebuildable[], segment: string): Promise<void>;
  /** In the order in which they are made anew. */
  list(): Promise<readonly Rebuildable[]>;
  /** How many there were when they were listed last. */
  count(): number;
}

export function createSumsInDoubt(database: Database, clock: Clock): SumsInDoubt {
  let count = 0;

  return {
    async note(tables, segment) {
      await database.query('select doubt_sums($1, $2, $3)', [tables, segment, clock.nowMs()]);
    },
    async list() {
      const rows = await database.query<{ table_name: string }>('select table_name from sums_in_doubt');
      const names = new Set(rows.map(({ table_name }) => table_name));
      count = names.size;
      return REBUILDABLE.filter((table) => names.has(table));
    },
    count: () => count,
  };
}
