// What the collector needs of outrider.yaml, and where in the data directory it keeps things.

import { join } from 'node:path';
import { isLoopback } from '../contract/config/addresses.ts';
import type { Config, SecretReference } from '../contract/config/config.ts';
import { readSecret } from '../contract/config/secrets.ts';

export interface CollectorConfig {
  /** `host:port` of each door. */
  readonly listen: {
    readonly otlp: string;
    readonly otlpGrpc: string;
    readonly control: string;
    readonly sql: string;
  };
  readonly audit: Config['audit'];
  readonly retention: Config['retention'];
  /** Names under which people and sidecars may call the control API. */
  readonly hosts: readonly string[];
  readonly drainMs: number;
  /** `embedded`, a URL without a password, or where a URL is to be read. */
  readonly postgres: string | SecretReference;
  /** Likewise. */
  readonly clickhouse: string | SecretReference;
  /** The cluster of that ClickHouse to spread the tables over; null for one server. */
  readonly cluster: string | null;
  readonly messages: Config['store']['messages'];
}

export function collectorConfig(config: Config): CollectorConfig {
  const { otlp, otlpGrpc, control, sql } = config.listen;
  return {
    listen: { otlp, otlpGrpc, control, sql },
    audit: config.audit,
    retention: config.retention,
    hosts: [new URL(config.collector).hostname],
    drainMs: config.drainMs,
    postgres: placeOf(config.store.postgres),
    clickhouse: placeOf(config.store.clickhouse),
    cluster: config.store.cluster,
    messages: config.store.messages,
  };
}

function placeOf(written: string): string | SecretReference {
  const read = readSecret(written);
  return 'value' in read ? read.value : written;
}

export interface Places {
  /** Holds `token` too; shared with sidecars. */
  readonly root: string;
  /** The collector's own, locked. */
  readonly own: string;
  readonly control: string;
  readonly store: string;
  readonly queue: string;
  /** The log of what was accepted, and the key that signs it. */
  readonly audit: string;
  readonly exports: string;
  /** Where backups are made; beside the collector's own folder, so that they outlive it. */
  readonly backups: string;
}

export function placesIn(dataDirectory: string): Places {
  const own = join(dataDirectory, 'collector');
  return {
    root: dataDirectory,
    own,
    control: join(own, 'control'),
    store: join(own, 'store'),
    queue: join(own, 'queue'),
    audit: join(own, 'audit'),
    exports: join(own, 'exports'),
    backups: join(dataDirectory, 'backups'),
  };
}

/** `127.0.0.1:4319` and its like: only this machine can call. */
export function isLoopbackAddress(address: string): boolean {
  return isLoopback(address.replace(/:\d+$/, ''));
}
