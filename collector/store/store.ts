// The fleet's memory, as the rest of the collector sees it. The collector is always a client of a ClickHouse: a process of
// our own behind a private door (embedded/), or a server that somebody runs (server/). Which one is decided here, once.

import type { MessagesKept } from '../../contract/config/config.ts';
import type { Rebuildable } from '../../contract/rebuild.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Log } from '../../kit/log.ts';
import type { EngineLimits } from './embedded/messages.ts';
import type { Layout } from './layout.ts';
import type { ServerAddress } from './server/reach.ts';

export interface Segment {
  readonly id: string;
  readonly path: string;
  readonly bytes: number;
}

export interface Store {
  /** The read-only door, `http://host:port`; null on a server, whose own door people use. */
  readonly sqlUrl: string | null;
  /** `host:port/database` of the server that holds the tables; null when they are embedded. */
  readonly server: string | null;
  /** Which table to name when one is changed rather than asked. */
  readonly layout: Layout;
  /**
   * Loads one segment; loading it again adds nothing. Answers how many of its items are stored. Throws StoreUnavailable
   * (try again), SegmentInDoubt (a few times), SegmentRejected (never will) or StoreRefuses (not before somebody puts it right).
   */
  load(segment: Segment): Promise<{ items: number }>;
  /** Takes back, for good, what is there of a segment that was refused and comes again in parts. Throws StoreUnavailable. */
  takeBack(segment: Segment): Promise<void>;
  /** Runs one query, values by `{name:Type}`. 64-bit integers and decimals come as strings. Throws StoreUnavailable or QueryFailed. */
  query<T>(sql: string, parameters?: Record<string, unknown>): Promise<T[]>;
  /** Runs one statement that answers nothing. Throws as `query` does. */
  command(statement: string): Promise<void>;
  /** False while it is away, or takes nothing until somebody puts right what it refuses. */
  isOpen(): boolean;
  /** Resident memory of the store process, bytes; 0 while it is away, and on a server. */
  memoryBytes(): Promise<number>;
  close(): Promise<void>;
}

export interface EmbeddedStore extends Store {
  readonly sqlUrl: string;
  /** Of the store process; 0 before the first. */
  pid(): number;
}

interface AnyStoreOptions {
  /** How what was said is kept; by content unless said. */
  readonly messages?: MessagesKept;
  readonly log: Log;
  readonly clock: Clock;
  /** Takes the tables as they are, also none at all. */
  readonly asFound?: boolean;
}

export interface StoreOptions extends AnyStoreOptions {
  readonly dataDirectory: string;
  /** `host:port` of the read-only door; port 0 picks a free one. */
  readonly sqlListen: string;
  readonly limits?: Partial<EngineLimits>;
}

export interface ServerStoreOptions extends AnyStoreOptions, ServerAddress {
  /** Runs `act` while no other collector of the fleet runs one: collectors that start together migrate one by one. */
  alone<T>(act: () => Promise<T>): Promise<T>;
  /** Keeps on record which counted tables may lack rows of a segment. Where it throws, the segment is loaded and looked at again. */
  doubted(tables: readonly Rebuildable[], segment: string): Promise<void>;
}

/** Rejects with an error whose `code` is EADDRINUSE when the port is taken. */
export async function openStore(options: StoreOptions): Promise<EmbeddedStore> {
  const { openEmbeddedStore } = await import('./embedded/open.ts');
  return openEmbeddedStore(options);
}

/**
 * Throws an Error with one sentence when the server answers and cannot be used; when it does not answer, the store opens
 * all the same and brings the tables forward once it does.
 */
export async function openStoreOnServer(options: ServerStoreOptions): Promise<Store> {
  const { openServerStore } = await import('./server/open.ts');
  return openServerStore(options);
}
