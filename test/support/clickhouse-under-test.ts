// The ClickHouse that the store's suite runs on: the server that OUTRIDER_TEST_CLICKHOUSE names by URL, else its stand-in.
// On a real one each file gets a database of its own, dropped at the end; the user must be allowed to make them.

import { randomBytes } from 'node:crypto';
import { reachServer } from '../../collector/store/server/reach.ts';
import { quoted } from '../../collector/store/sql-text.ts';
import type { ServerUnderTest } from '../collector/store/open.ts';
import { startDouble } from './clickhouse-double.ts';

export interface ClickHouseUnderTest extends ServerUnderTest {
  stop(): Promise<void>;
}

export async function clickhouseUnderTest(cluster: string | null): Promise<ClickHouseUnderTest> {
  const url = process.env.OUTRIDER_TEST_CLICKHOUSE;
  if (url) return onServer(url, cluster);
  const double = await startDouble(cluster === null ? {} : { cluster });
  return { cluster, database: double.database, stop: double.stop };
}

function onServer(url: string, cluster: string | null): ClickHouseUnderTest {
  const server = reachServer({ url, cluster: null });
  const everywhere = cluster === null ? '' : `ON CLUSTER ${quoted(cluster)}`;
  const made: string[] = [];
  return {
    cluster,
    async database() {
      const name = `outrider_suite_${randomBytes(6).toString('hex')}`;
      await server.connection.command(`CREATE DATABASE ${name} ${everywhere}`);
      made.push(name);
      const at = new URL(url);
      at.pathname = `/${name}`;
      return at.href;
    },
    async stop() {
      for (const name of made) await server.connection.command(`DROP DATABASE ${name} ${everywhere} SYNC`);
      await server.close();
    },
  };
}
