// Opens a store for one test file, with a folder for its segments; both go when the file is done. What holds for every
// store is written once: `openAnyStore` opens it embedded, or on the server that `runOn` names.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type EmbeddedStore,
  openStore,
  openStoreOnServer,
  type Segment,
  type ServerStoreOptions,
  type Store,
  type StoreOptions,
} from '../../../collector/store/store.ts';
import { systemClock } from '../../../kit/clock.ts';
import { silentLog } from '../../../kit/log.ts';
import { copyStore } from '../../support/empty-stores.ts';
import { segmentBytes } from './otlp.ts';

export interface OpenedStore<AnyStore extends Store = EmbeddedStore> {
  readonly directory: string;
  readonly store: AnyStore;
  /** Writes a segment file; does not load it. */
  segment(id: string, requests: readonly Buffer[], sender?: string, receivedAtUnixNano?: bigint): Segment;
  close(): Promise<void>;
}

/** A ClickHouse server to run on, real or not. */
export interface ServerUnderTest {
  readonly cluster: string | null;
  /** The URL of an empty database. */
  database(): Promise<string>;
}

let server: ServerUnderTest | undefined;

/** From here on `openAnyStore` opens stores there. */
export function runOn(place: ServerUnderTest): void {
  server = place;
}

export const RECEIVED_AT = BigInt(Date.now()) * 1_000_000n;

export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'outrider-store-'));
}

/** Not there yet when it is named, as a collector's is not before its first start. */
function withTables(): string {
  const directory = join(temporaryDirectory(), 'store');
  copyStore(directory);
  return directory;
}

const ALWAYS = { log: silentLog, clock: systemClock };

export async function openTestStore(options: Partial<StoreOptions> = {}): Promise<OpenedStore> {
  const directory = options.dataDirectory ?? withTables();
  const store = await openStore({
    ...ALWAYS,
    dataDirectory: directory,
    sqlListen: '127.0.0.1:0',
    ...options,
  });
  return opened(store, directory);
}

export async function openServerTestStore(
  options: Pick<ServerStoreOptions, 'url'> & Partial<ServerStoreOptions>,
): Promise<OpenedStore<Store>> {
  const directory = temporaryDirectory();
  const store = await openStoreOnServer({
    ...ALWAYS,
    cluster: null,
    alone: (act) => act(),
    doubted: async () => undefined,
    ...options,
  });
  return opened(store, directory);
}

/** For what must hold on every store. */
export async function openAnyStore(): Promise<OpenedStore<Store>> {
  if (!server) return openTestStore();
  return openServerTestStore({ url: await server.database(), cluster: server.cluster });
}

function opened<AnyStore extends Store>(store: AnyStore, directory: string): OpenedStore<AnyStore> {
  mkdirSync(directory, { recursive: true });
  return {
    directory,
    store,
    segment(id, requests, sender = '', receivedAtUnixNano = RECEIVED_AT) {
      const path = join(directory, `${id}.segment`);
      const bytes = segmentBytes(requests, sender, receivedAtUnixNano);
      writeFileSync(path, bytes);
      return { id, path, bytes: bytes.length };
    },
    async close() {
      await store.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
