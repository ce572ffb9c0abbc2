// The store's part of a backup: ClickHouse's own BACKUP and RESTORE, and the figures by which a restored store is known to
// be the same. Merges stand still meanwhile: they sum up rows and drop old ones, and the figures would disagree.

import { resolve } from 'node:path';
import type { Clock } from '../../kit/clock.ts';
import { quoted } from './sql-text.ts';
import type { Store } from './store.ts';

export interface AuditFigures {
  readonly stream: string;
  readonly records: string;
  readonly last_seq: string;
  readonly last_hash: string;
  /** Over every record's hash and text, in no order. */
  readonly digest: string;
}

export interface StoreFigures {
  readonly version: string;
  /** Rows of each table that holds rows. */
  readonly rows: Readonly<Record<string, number>>;
  readonly audit: readonly AuditFigures[];
}

export type Progress = (bytes: number, bytesTotal: number) => void;

type Asked = Pick<Store, 'query' | 'command'>;

const POLL_MS = 200;

/** Copies every table into a folder that is not there yet. Nothing may be loaded meanwhile. Throws a sentence when it fails. */
export async function backUpStore(
  store: Asked,
  options: { directory: string; id: string; clock: Clock; progress: Progress },
): Promise<StoreFigures> {
  const { directory, id, clock, progress } = options;
  await store.command('SYSTEM STOP MERGES');
  try {
    const figures = await figuresOfStore(store);
    const to = `File(${quoted(resolve(directory))})`;
    await store.query(`BACKUP DATABASE default TO ${to} SETTINGS id = ${quoted(id)} ASYNC`);
    await finished(store, { id, good: 'BACKUP_CREATED', clock, progress });
    return figures;
  } finally {
    await store.command('SYSTEM START MERGES');
  }
}

/** Fills a store that has no tables. Its merges stay stopped until its next start, so that its figures can be compared. */
export async function restoreStore(
  store: Asked,
  options: { directory: string; id: string; clock: Clock; progress: Progress },
): Promise<StoreFigures> {
  const { directory, id, clock, progress } = options;
  const from = `RESTORE DATABASE default FROM File(${quoted(resolve(directory))})`;
  await store.query(`${from} SETTINGS structure_only = 1`);
  await store.command('SYSTEM STOP MERGES');
  await store.query(`${from} SETTINGS id = ${quoted(id)} ASYNC`);
  await finished(store, { id, good: 'RESTORED', clock, progress });
  return figuresOfStore(store);
}

interface Operation {
  readonly status: string;
  readonly error: string;
  readonly bytes: string;
  readonly total: string;
}

async function finished(
  store: Asked,
  want: { id: string; good: string; clock: Clock; progress: Progress },
): Promise<void> {
  for (;;) {
    const [operation] = await store.query<Operation>(
      'SELECT status, error, bytes_read AS bytes, total_size AS total FROM system.backups WHERE id = {id:String}',
      { id: want.id },
    );
    if (!operation) throw new Error('The store started anew meanwhile: try again.');
    want.progress(Number(operation.bytes), Number(operation.total));
    if (operation.status === want.good) return;
    if (operation.status.endsWith('FAILED') || operation.status.endsWith('CANCELLED'))
      throw new Error(`The store says ${operation.status}: ${operation.error}`);
    await new Promise<void>((resume) => void want.clock.after(POLL_MS, resume));
  }
}

async function figuresOfStore(store: Asked): Promise<StoreFigures> {
  const [engine] = await store.query<{ version: string }>('SELECT version() AS version');
  const tables = await store.query<{ table: string; count: string }>(
    `SELECT table, sum(rows) AS count FROM system.parts WHERE active AND database = currentDatabase()
     GROUP BY table ORDER BY table`,
  );
  const audit = await store.query<AuditFigures>(
    `SELECT audit_stream AS stream, toString(count()) AS records, toString(max(audit_seq)) AS last_seq,
       argMax(audit_hash, audit_seq) AS last_hash, toString(groupBitXor(cityHash64(audit_hash, audit_entry))) AS digest
     FROM actions GROUP BY stream ORDER BY stream`,
  );
  return {
    version: engine?.version ?? '',
    rows: Object.fromEntries(tables.map(({ table, count }) => [table, Number(count)])),
    audit,
  };
}

/** Bytes on disk of all tables: about what a backup takes. */
export async function bytesOfStore(store: Asked): Promise<number> {
  const [sum] = await store.query<{ bytes: string }>(
    'SELECT sum(bytes_on_disk) AS bytes FROM system.parts WHERE active AND database = currentDatabase()',
  );
  return Number(sum?.bytes ?? 0);
}
