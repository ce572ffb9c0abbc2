// A backup while everything runs: one moment of the whole collector, as a folder that proves itself.
//
//   settle:  requests wait at the door ─▶ the queue is empty ─▶ nothing is loaded
//   copy:    what the queue remembers of the last 24 hours, control state ─▶ requests go on
//            the store ─▶ loading goes on
//   prove:   every file's hash, the figures of that moment ─▶ manifest.json
//
// Requests wait for well under a second on a small fleet; rows that come meanwhile are queryable later. What is on servers
// is backed up there, by their own means: the manifest says what to run.

import { join } from 'node:path';
import type { BackupElsewhere, BackupManifest, BackupState, BackupStep } from '../contract/backup.ts';
import type { Clock } from '../kit/clock.ts';
import { type Log, sentenceOf } from '../kit/log.ts';
import own from '../package.json' with { type: 'json' };
import type { Places } from './config.ts';
import { copyControl } from './control/backup.ts';
import { noteEvent } from './control/control-events.ts';
import type { Database } from './control/database.ts';
import {
  bytesFree,
  checkpointsIn,
  copyFolder,
  copyLogs,
  foldersIn,
  hashedFiles,
  makeFolder,
  removeFolder,
  writeManifest,
} from './edges/backup-files.ts';
import type { Pipeline } from './pipeline.ts';
import { backUpStore, bytesOfStore, type StoreFigures } from './store/backup.ts';
import type { Store } from './store/store.ts';

/** The parts of a backup, as folders in it. */
export const PARTS = { control: 'control', store: 'store', queue: 'queue', audit: 'audit' } as const;

export interface Backups {
  /** Begins one, or answers null while another is being made. `by` is who asked. */
  start(by: string): BackupState | null;
  /** The one being made, or made last; null when there was none in this life. */
  state(): BackupState | null;
  /** Settles when the one being made has ended, either way. */
  ended(): Promise<void>;
}

export interface BackupsOptions {
  readonly pipeline: Pick<Pipeline, 'quiet'>;
  readonly database: Database;
  readonly store: Store;
  readonly places: Pick<Places, 'audit' | 'backups' | 'queue'>;
  readonly clock: Clock;
  readonly log: Log;
}

const SETTLE_MS = 30_000;
/** Left free on the disk beside what the backup takes. */
const SPARE_BYTES = 1024 ** 3;

export function createBackups(options: BackupsOptions): Backups {
  const { places, clock, log } = options;
  let state: BackupState | null = null;
  let running: Promise<void> | null = null;

  async function make(id: string, path: string, by: string): Promise<void> {
    const tell = (step: BackupStep, bytes = 0, bytesTotal = 0, failure = '') => {
      state = { id, step, bytes, bytes_total: bytesTotal, path, failure };
    };
    try {
      tell('settling');
      await makeBackup(options, { id, path, by, tell });
      tell('done');
      log.info('backup.made', { path, by });
    } catch (failure) {
      log.error('backup.failed', { path, failure: sentenceOf(failure) });
      await removeFolder(path);
      tell('failed', 0, 0, sentenceOf(failure));
    }
  }

  return {
    start(by) {
      if (running !== null) return null;
      const id = new Date(clock.nowMs()).toISOString().replace(/[:.]/g, '-');
      const path = join(places.backups, id);
      running = make(id, path, by).finally(() => {
        running = null;
      });
      return state;
    },
    state: () => state,
    ended: () => running ?? Promise.resolve(),
  };
}

interface Making {
  readonly id: string;
  readonly path: string;
  readonly by: string;
  tell(step: BackupStep, bytes?: number, bytesTotal?: number): void;
}

async function makeBackup(options: BackupsOptions, { id, path, by, tell }: Making): Promise<void> {
  const { pipeline, database, store, places, clock } = options;
  // One at a time: what nobody took away, or a crash left half made, makes room for this one.
  await removeFolder(places.backups);
  await makeFolder(path);
  await enoughRoom(store, path);
  const figures = await pipeline.quiet(SETTLE_MS, async (admit) => {
    tell('control state');
    await copyFolder(join(places.queue, 'manifest'), join(path, PARTS.queue, 'manifest'));
    const control = database.server === null ? await copyControl(database, join(path, PARTS.control)) : {};
    const checkpoints = await checkpointsIn(places.audit);
    admit();
    await copyLogs(places.audit, join(path, PARTS.audit), checkpoints);
    const progress = (bytes: number, total: number) => tell('store', bytes, total);
    const directory = join(path, PARTS.store);
    const kept =
      store.server === null ? await backUpStore(store, { directory, id, clock, progress }) : NO_TABLES;
    return { control, ...kept };
  });
  const files = await hashedFiles(path, (bytes, total) => tell('hashes', bytes, total));
  const manifest: BackupManifest = {
    format: 1,
    made_at: new Date(clock.nowMs()).toISOString(),
    outrider: own.version,
    clickhouse: figures.version,
    rows: figures.rows,
    audit: figures.audit,
    control: figures.control,
    folders: await foldersIn(path),
    elsewhere: partsElsewhere({ database, store }, id),
    files,
  };
  await writeManifest(path, manifest);
  const event = { event: 'store_backed_up', actor: by, agent: '', reason: '', details: { path } } as const;
  await noteEvent(database, event, clock.nowMs());
}

const NO_TABLES: StoreFigures = { version: '', rows: {}, audit: [] };

function partsElsewhere({ database, store }: Pick<BackupsOptions, 'database' | 'store'>, id: string) {
  const parts: BackupElsewhere[] = [];
  if (store.server !== null) {
    const [name] = store.server.split('/').slice(-1);
    const run = `BACKUP DATABASE ${name}${spaced(store.layout.everywhere)} TO Disk('backups', 'outrider-${id}.zip')`;
    parts.push({ part: 'tables', place: store.server, run });
  }
  if (database.server !== null) {
    const run = `pg_dump --format=custom --file=outrider-${id}.dump postgres://USER@${database.server}`;
    parts.push({ part: 'control state', place: database.server, run });
  }
  return parts;
}

const spaced = (word: string): string => (word === '' ? '' : ` ${word}`);

async function enoughRoom(store: Store, path: string): Promise<void> {
  const needed = (store.server === null ? await bytesOfStore(store) : 0) + SPARE_BYTES;
  const free = await bytesFree(path);
  if (free < needed)
    throw new Error(
      `A backup needs ${gigabytes(needed)} free and the disk of ${path} has ${gigabytes(free)}.`,
    );
}

const gigabytes = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} GB`;
