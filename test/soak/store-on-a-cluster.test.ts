// The store's suite on the shape of a cluster: two tables for each, views within a shard. Of one shard and without Keeper;
// a real one by `npm run store-suite -- URL CLUSTER`.

import { afterAll } from 'vitest';
import { runOn } from '../collector/store/open.ts';
import { startDouble } from '../support/clickhouse-double.ts';

const double = await startDouble({ cluster: 'fleet' });
afterAll(() => double.stop());
runOn({ cluster: 'fleet', database: double.database });
for (const file of ['load', 'logs', 'metrics', 'rollups']) await import(`../collector/store/${file}.test.ts`);
await import('../collector/rebuild.test.ts');
