// The checkpoints the collector signed, kept apart from its log: one an hour, and the newest. A log on disk that is older
// than the newest here was set back, and to go on with it would tell two stories.

import type { Database } from './database.ts';

export interface KeptCheckpoint {
  readonly size: number;
  /** Base64. */
  readonly root: string;
  readonly signedMs: number;
  readonly note: string;
}

export interface Checkpoints {
  /** Keeps the newest of those given meanwhile; a failure is made good by the next. */
  keep(checkpoint: KeptCheckpoint & { readonly origin: string }): Promise<void>;
  /** Of one log. */
  newest(origin: string): Promise<KeptCheckpoint | null>;
  /** One an hour, of every log, oldest first. */
  all(): Promise<readonly KeptCheckpoint[]>;
}

interface Row {
  readonly [column: string]: unknown;
  readonly size: string;
  readonly root: string;
  readonly signed_ms: string;
  readonly note: string;
}

const COLUMNS = 'size::text, root, signed_ms::text, note';

export function createCheckpoints(database: Database, keepMs: number): Checkpoints {
  return {
    async keep({ origin, size, root, signedMs, note }) {
      const kept = [origin, size, root, signedMs, note, keepMs];
      await database.query('select keep_checkpoint($1, $2, $3, $4, $5, $6)', kept);
    },
    async newest(origin) {
      const sql = `select ${COLUMNS} from checkpoints where origin = $1 order by size desc limit 1`;
      const [row] = await database.query<Row>(sql, [origin]);
      return row ? checkpointOf(row) : null;
    },
    async all() {
      const rows = await database.query<Row>(`select ${COLUMNS} from checkpoints order by signed_ms, size`);
      return rows.map(checkpointOf);
    },
  };
}

function checkpointOf({ size, root, signed_ms: signedMs, note }: Row): KeptCheckpoint {
  return { size: Number(size), root, signedMs: Number(signedMs), note };
}
