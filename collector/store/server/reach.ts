// A ClickHouse server within reach: statements by ClickHouse's client, inserts with their rows behind them by our own
// POST, all with the same settings; and how our tables stand there.

import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { clusterLayout } from '../cluster.ts';
import { type Connection, connectionOf } from '../connection.ts';
import { ALONE, type Layout } from '../layout.ts';
import { createInserts, type Inserts } from './insert.ts';
import { type Place, readPlace } from './place.ts';
import { settingsFor } from './settings.ts';

export interface Server {
  readonly place: Place;
  readonly layout: Layout;
  readonly connection: Connection;
  readonly insert: Inserts['insert'];
  close(): Promise<void>;
}

export interface ServerAddress {
  /** `https://user:password@host:8443/database`; never repeated. */
  readonly url: string;
  /** The cluster to spread the tables over, as the server's configuration names it; null for one server alone. */
  readonly cluster: string | null;
}

const REQUEST_MS_MAX = 320_000;

/** Asks nothing yet. Throws an Error with one sentence when the URL is none. */
export function reachServer({ url, cluster }: ServerAddress): Server {
  const place = readPlace(url);
  const settings = settingsFor(cluster);
  const connection = connect(place, settings);
  const inserts = createInserts(place, settings);
  return {
    place,
    layout: cluster === null ? ALONE : clusterLayout(cluster),
    connection,
    insert: inserts.insert,
    async close() {
      await inserts.close();
      await connection.close();
    },
  };
}

function connect(place: Place, settings: Readonly<Record<string, string>>): Connection {
  const client = createClient({
    url: place.origin,
    username: place.user,
    password: place.password,
    database: place.database,
    application: 'outrider',
    clickhouse_settings: settings,
    request_timeout: REQUEST_MS_MAX,
    log: { level: ClickHouseLogLevel.OFF },
  });
  return connectionOf(
    () => Promise.resolve(client),
    () => client.close(),
  );
}
