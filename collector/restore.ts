// A backup put where no collector has been yet, and proven to be what was backed up: first every file, then the figures of
// the databases that were made of them. All of it happens in a draft beside; only what is proven gets the collector's name.

import { join } from 'node:path';
import type { BackupElsewhere, BackupManifest } from '../contract/backup.ts';
import type { Clock } from '../kit/clock.ts';
import type { Log } from '../kit/log.ts';
import { PARTS } from './backup.ts';
import { type Places, placesIn } from './config.ts';
import { figuresOfControl } from './control/backup.ts';
import { markRestored } from './control/learning.ts';
import { endLogs } from './edges/audit-directory.ts';
import {
  copyPart,
  isFree,
  makeFolder,
  moveFolder,
  readManifest,
  removeFolder,
  verifyFiles,
} from './edges/backup-files.ts';
import { nodeDisk } from './queue/disk.ts';
import { restoreStore, type StoreFigures } from './store/backup.ts';
import { exportTables, importTables, unfinishedMove } from './store/move.ts';
import { refuseUnfit } from './store/server/fitness.ts';
import { reachServer, type ServerAddress } from './store/server/reach.ts';
import { openStore, type Store } from './store/store.ts';

export interface RestoreOptions {
  /** The backup. */
  readonly from: string;
  readonly dataDirectory: string;
  /** The server that is to hold the tables from now on; without it they are embedded. */
  readonly server?: ServerAddress;
  readonly clock: Clock;
  readonly log: Log;
  progress(step: string, bytes: number, bytesTotal: number): void;
}

/** Throws an Error with a sentence, and leaves nothing behind, when anything is not as it was. */
export async function restoreBackup(options: RestoreOptions): Promise<BackupManifest> {
  const { from, dataDirectory, progress } = options;
  const { own } = placesIn(dataDirectory);
  if (!(await isFree(own)))
    throw new Error(`${own} is not empty: restore into another folder with --data, or move it away first.`);
  const manifest = await readManifest(from);
  const tables = elsewhere(manifest, 'tables');
  if (tables && options.server)
    throw new Error(
      `The tables of this backup are on ${tables.place}: restore them with ClickHouse's RESTORE.`,
    );
  await verifyFiles(from, manifest, (bytes, total) => progress('files', bytes, total));

  const draft = join(dataDirectory, 'restoring');
  await removeFolder(draft);
  await makeFolder(draft);
  try {
    const places = placesIn(draft);
    if (!elsewhere(manifest, 'control state')) await restoreControl(manifest, from, places);
    await copyPart(from, PARTS.queue, places.queue, manifest.folders);
    await restoreLogs(manifest, from, places);
    if (options.server) await moveTables(manifest, options, places, options.server);
    else if (!tables) await restoreTables(manifest, options, places);
    markRestored(places.own);
    await removeFolder(own);
    await moveFolder(places.own, own);
  } finally {
    await removeFolder(draft);
  }
  return manifest;
}

/** Nothing, where the part is in the backup. */
const elsewhere = (manifest: BackupManifest, part: BackupElsewhere['part']): BackupElsewhere | undefined =>
  manifest.elsewhere?.find((each) => each.part === part);

/** For reading alone: the collector that was backed up may have gone on with its log, so this one begins another. */
async function restoreLogs(manifest: BackupManifest, from: string, places: Places): Promise<void> {
  if (!manifest.folders.includes(PARTS.audit)) return; // of a release that kept no log
  await copyPart(from, PARTS.audit, places.audit, manifest.folders);
  await endLogs(nodeDisk, places.audit);
}

/** From the draft on to the server. What is not there yet waits in a folder of its own, where another try finds it. */
async function moveTables(
  manifest: BackupManifest,
  options: RestoreOptions,
  places: Places,
  address: ServerAddress,
): Promise<void> {
  const { dataDirectory, clock, log, progress } = options;
  const folder = join(dataDirectory, 'moving');
  const server = reachServer(address);
  try {
    await refuseUnfit(server.connection);
    const step = (name: string) => (done: number, total: number) =>
      progress(`${name} ${Math.floor((10 * done) / total) * 10}%`, 0, 0);
    const id = manifest.made_at;
    let move = await unfinishedMove(folder, id);
    if (!move) {
      await restoreTables(manifest, options, places);
      const exported = { folder, id, progress: step('export') };
      move = await withDraft(places, { clock, log }, (store) => exportTables(store, exported));
    }
    await importTables(server, { folder, move, progress: step('server') });
    await removeFolder(folder);
    await removeFolder(places.store);
  } finally {
    await server.close();
  }
}

/** The restored tables, at their newest form. */
async function withDraft<T>(
  places: Places,
  world: { readonly clock: Clock; readonly log: Log },
  use: (store: Store) => Promise<T>,
): Promise<T> {
  const store = await openStore({ dataDirectory: places.store, sqlListen: '127.0.0.1:0', ...world });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

async function restoreControl(manifest: BackupManifest, from: string, places: Places): Promise<void> {
  await copyPart(from, PARTS.control, places.control, manifest.folders);
  const found = await figuresOfControl(places.control, Object.keys(manifest.control));
  for (const [table, { rows, digest }] of Object.entries(manifest.control)) {
    if (found[table]?.rows !== rows || found[table]?.digest !== digest)
      throw new Error(`The control table ${table} is not what was backed up.`);
  }
}

async function restoreTables(
  manifest: BackupManifest,
  options: RestoreOptions,
  places: Places,
): Promise<void> {
  const { from, clock, log, progress } = options;
  const store = await openStore({
    dataDirectory: places.store,
    sqlListen: '127.0.0.1:0',
    asFound: true,
    log,
    clock,
  });
  try {
    const found = await restoreStore(store, {
      directory: join(from, PARTS.store),
      id: manifest.made_at,
      clock,
      progress: (bytes, total) => progress('store', bytes, total),
    });
    compare(manifest, found);
  } finally {
    await store.close();
  }
}

function compare(manifest: BackupManifest, found: StoreFigures): void {
  for (const [table, rows] of Object.entries(manifest.rows)) {
    if (found.rows[table] !== rows)
      throw new Error(`${table} has ${found.rows[table] ?? 0} rows and ${rows} were backed up.`);
  }
  const chains = new Map(found.audit.map((chain) => [chain.stream, chain]));
  for (const chain of manifest.audit) {
    const { digest, last_hash: last, records } = chains.get(chain.stream) ?? {};
    if (digest !== chain.digest || last !== chain.last_hash || records !== chain.records)
      throw new Error(`The records of ${chain.stream} are not what was backed up.`);
  }
}
