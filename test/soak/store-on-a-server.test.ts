// The store's suite, once more on a server: the one that OUTRIDER_TEST_CLICKHOUSE names (and OUTRIDER_TEST_CLUSTER, for its
// cluster), or the stand-in. `npm run store-suite -- URL [CLUSTER]`.

import { afterAll } from 'vitest';
import { runOn } from '../collector/store/open.ts';
import { clickhouseUnderTest } from '../support/clickhouse-under-test.ts';

const server = await clickhouseUnderTest(process.env.OUTRIDER_TEST_CLUSTER || null);
afterAll(() => server.stop());
runOn(server);
for (const file of ['load', 'logs', 'metrics', 'rollups']) await import(`../collector/store/${file}.test.ts`);
await import('../collector/rebuild.test.ts');
