// Opens a store in a directory of its own, for one test file; both go when the file is done.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, type Segment, type Store, type StoreOptions } from '../../../collector/store/store.ts';
import { systemClock } from '../../../kit/clock.ts';
import { silentLog } from '../../../kit/log.ts';
import { copyStore } from '../../support/empty-stores.ts';
import { segmentBytes } from './otlp.ts';

export interface OpenedStore {
  readonly directory: string;
  readonly store: Store;
  /** Writes a segment file; does not load it. */
  segment(id: string, requests: readonly Buffer[], sender?: string, receivedAtUnixNano?: bigint): Segment;
  close(): Promise<void>;
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

export async function openTestStore(options: Partial<StoreOptions> = {}): Promise<OpenedStore> {
  const directory = options.dataDirectory ?? withTables();
  const store = await openStore({
    dataDirectory: directory,
    sqlListen: '127.0.0.1:0',
    log: silentLog,
    clock: systemClock,
    ...options,
  });
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
