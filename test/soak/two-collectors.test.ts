// Two collectors of one fleet, on one Postgres and one ClickHouse server (its stand-in): they bring the tables forward in
// turn, and whom one is told to hold apart, the other's sidecars hear of.

import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { placesIn } from '../../collector/config.ts';
import { migrations } from '../../collector/store/migrate.ts';
import { type Provider, startProvider } from '../../examples/provider/provider.ts';
import { REAL_KEY, SAMPLE } from '../end-to-end/fleet.ts';
import { type Double, startDouble } from '../support/clickhouse-double.ts';
import { type PostgresServer, startPostgresServer } from '../support/postgres-server.ts';
import {
  order,
  runOutrider,
  type Started,
  startOutrider,
  temporaryDirectory,
  until,
  writeConfig,
} from '../support/processes.ts';

let provider: Provider;
let double: Double;
let postgres: PostgresServer;
let env: NodeJS.ProcessEnv;
let one: Started;
let other: Started;
let sidecar: Started;
const directory = temporaryDirectory('two-collectors');
const dataOf = (name: string) => join(directory, name);

beforeAll(async () => {
  const started = await startPostgresServer();
  if (!started) throw new Error('no Postgres is installed here: apt-get install postgresql');
  [provider, double, postgres] = [await startProvider(), await startDouble(), started];
  env = {
    REAL_KEY,
    OUTRIDER_TOKEN: 'ort_of_both',
    CLICKHOUSE_URL: await double.database(),
    POSTGRES_URL: await postgres.database(),
  };
  [one, other] = await Promise.all([startCollector('one'), startCollector('other')]);
  sidecar = await startOutrider(
    ['sidecar', '--agent', 'scout/a', '--data', dataOf('sidecar'), '--config', configOf('sidecar')].concat([
      '--collector',
      other.listen.collector!.control!,
    ]),
    { ready: 1, env },
  );
}, 120_000);
afterAll(async () => {
  for (const process of [sidecar, one, other]) await process.kill('SIGTERM');
  await Promise.all([provider.close(), double.stop(), postgres.stop()]);
});

function configOf(name: string): string {
  const folder = temporaryDirectory(name);
  const listen =
    'listen: { proxy: 127.0.0.1:0, admin: 127.0.0.1:0, otlp: 127.0.0.1:0, otlp_grpc: 127.0.0.1:0, control: 127.0.0.1:0 }';
  const yaml = SAMPLE.replaceAll('{provider}', provider.url).replace(/^listen:.*$/m, listen);
  return writeConfig(
    folder,
    `${yaml}store: { clickhouse: 'env:CLICKHOUSE_URL', postgres: 'env:POSTGRES_URL' }\n`,
  );
}

const startCollector = (name: string): Promise<Started> =>
  startOutrider(['collector', '--data', dataOf(name), '--config', configOf(name)], { ready: 1, env });

const call = () => fetch(`${sidecar.listen.sidecar!.proxy}/openai/v1/models`).then((answer) => answer.status);

test('each migration is applied once, by whoever is first', () => {
  const recorded = double.requests.filter(({ body }) => body.includes('INSERT INTO outrider_migrations'));
  expect(recorded).toHaveLength(migrations().length);
});

test('whom one is told to hold apart, the sidecars of the other refuse, and serve again once it is lifted', async () => {
  expect(await call()).toBe(200);
  const told = one.listen.collector!.control!;
  const at = performance.now();
  await order(told, dataOf('one'), '/v1/quarantine', {
    subject: 'agent/scout',
    reason: 'test',
    for_ms: null,
  });
  await until(call, (status) => status === 403);
  const heldMs = performance.now() - at;
  await order(told, dataOf('one'), '/v1/quarantine/lift', { subject: 'agent/scout' });
  await until(call, (status) => status === 200);
  console.log(JSON.stringify({ heldMs: Math.round(heldMs), ms: Math.round(performance.now() - at) }));
}, 60_000);

test('a backup holds what is on no server, and says what to run for the rest; it can be restored', async () => {
  const at = ['--collector', one.listen.collector!.control!, '--data', dataOf('one')];
  const folder = join(directory, 'monday');
  const made = await runOutrider(['store', 'backup', folder, ...at], { env });
  expect(made.stdout).toMatch(
    /On 127\.0\.0\.1:\d+\/fleet_1: tables\. Run there now:\n {2}BACKUP DATABASE fleet_1 TO Disk/,
  );
  expect(made.stdout).toMatch(/On 127\.0\.0\.1:\d+\/test_1: control state\. Run there now:\n {2}pg_dump /);
  expect(readdirSync(folder).sort()).toEqual(['audit', 'manifest.json', 'queue']);
  const moving = [
    'store',
    'restore',
    folder,
    '--data',
    dataOf('moved'),
    '--clickhouse',
    'env:CLICKHOUSE_URL',
  ];
  expect(await runOutrider(moving, { env })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('RESTORE') as string,
  });
  const restored = await runOutrider(['store', 'restore', folder, '--data', dataOf('restored')], { env });
  expect(restored.stdout).toContain('/fleet_1: tables. Restore that there');
  const again = await startCollector('restored');
  await again.kill('SIGTERM');
  rmSync(placesIn(dataOf('restored')).store, { recursive: true }); // of the test's own making
  const stopped = await runOutrider(
    ['store', 'backup', join(directory, 'tuesday'), '--data', dataOf('restored')],
    { env: { ...env, OUTRIDER_COLLECTOR: '' } },
  );
  expect(stopped).toMatchObject({ code: 1, stderr: expect.stringContaining('are on a server') as string });
}, 60_000);

test('a table is not made anew while another loads into it, and is once it is alone', async () => {
  const asking = ['store', 'rebuild', 'calls_1m', '--collector', one.listen.collector!.control!];
  const ask = () => runOutrider([...asking, '--data', dataOf('one')], { env });
  const refused = await ask();
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("1 more of the fleet's collectors");
  await sidecar.kill('SIGTERM');
  await other.kill('SIGTERM');
  expect(await ask()).toMatchObject({ code: 0, stdout: 'Made anew: calls_1m.\n' });
}, 60_000);
