// Runs the store's suite on a ClickHouse server: `npm run store-suite -- URL [CLUSTER]`, with a user who may make databases.
// Each file of tests makes one and drops it. Without a URL it runs on the stand-in.

import { spawnSync } from 'node:child_process';

const [url = '', cluster = ''] = process.argv.slice(2);
if (url !== '' && !/^https?:\/\//.test(url)) {
  process.stderr.write('Write it like: npm run store-suite -- https://user:password@host:8443 [cluster]\n');
  process.exit(2);
}
const { status } = spawnSync(
  'vitest',
  ['run', '--config', 'vitest.soak.config.ts', 'test/soak/store-on-a-server.test.ts'],
  {
    stdio: 'inherit',
    env: { ...process.env, OUTRIDER_TEST_CLICKHOUSE: url, OUTRIDER_TEST_CLUSTER: cluster },
  },
);
process.exit(status ?? 1);
