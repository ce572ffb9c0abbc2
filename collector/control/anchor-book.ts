// How far each place outside has been given the log's checkpoints, so that a collector that starts again tells none twice.

import type { Database } from './database.ts';

export interface AnchorBook {
  /** Leaves of a log's last checkpoint that the place has, 0 for none. */
  sizeOf(anchor: string, origin: string): Promise<number>;
  keep(
    anchor: string,
    checkpoint: { readonly origin: string; readonly size: number },
    atMs: number,
  ): Promise<void>;
}

export function createAnchorBook(database: Database): AnchorBook {
  return {
    async sizeOf(anchor, origin) {
      const sql = 'select size::text from audit_anchors where anchor = $1 and origin = $2';
      const [row] = await database.query<{ size: string }>(sql, [anchor, origin]);
      return Number(row?.size ?? 0);
    },
    async keep(anchor, { origin, size }, atMs) {
      await database.query(
        `insert into audit_anchors (anchor, origin, size, anchored_ms) values ($1, $2, $3, $4)
         on conflict (anchor, origin) do update set size = excluded.size, anchored_ms = excluded.anchored_ms`,
        [anchor, origin, size, atMs],
      );
    },
  };
}
