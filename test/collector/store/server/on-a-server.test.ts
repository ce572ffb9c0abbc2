// What is tested of the embedded store, once more on a server: the real one that OUTRIDER_TEST_CLICKHOUSE names, or its
// double, and there only the file that goes through most of a load's ways. The whole suite: `npm run store-suite`.

import { afterAll } from 'vitest';
import { startDouble } from '../../../support/clickhouse-double.ts';
import { runOn } from '../open.ts';

const double = await startDouble();
afterAll(() => double.stop());

runOn({ cluster: null, database: double.database });
await import('../metrics.test.ts');
