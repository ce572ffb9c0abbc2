// What is kept of requests and answers, by the SHA-256 of its bytes, apart from all that names it: so that it can be
// erased and every record stays true.

import { hash } from 'node:crypto';
import type { Clock } from '../../kit/clock.ts';
import type { Database } from './database.ts';

export interface KeptBodies {
  /** What came of it; bytes that are kept already are kept from now on. */
  put(name: string, bytes: Buffer): Promise<'kept' | 'misnamed' | 'full'>;
  get(name: string): Promise<Buffer | undefined>;
}

const BYTES_MAX = 1024 * 1024 * 1024;

export function createKeptBodies(database: Database, clock: Clock, bytesMax = BYTES_MAX): KeptBodies {
  return {
    async put(name, bytes) {
      if (hash('sha256', bytes, 'hex') !== name) return 'misnamed';
      const rows = await database.query(
        `insert into kept_bodies (sha256, bytes, kept_at) select $1, decode($2, 'base64'), $3
         where (select coalesce(sum(length(bytes)), 0) from kept_bodies) + $4 <= $5
         on conflict (sha256) do update set kept_at = excluded.kept_at returning sha256`,
        [name, bytes.toString('base64'), clock.nowMs(), bytes.length, bytesMax],
      );
      return rows.length > 0 ? 'kept' : 'full';
    },
    async get(name) {
      const [row] = await database.query<{ body: string }>(
        "select encode(bytes, 'base64') as body from kept_bodies where sha256 = $1",
        [name],
      );
      return row && Buffer.from(row.body, 'base64');
    },
  };
}
