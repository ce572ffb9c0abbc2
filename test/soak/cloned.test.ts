// AUD-08 with real processes: a sidecar's folder is copied to a second machine, and both go on from it.

import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startProvider } from '../../examples/provider/provider.ts';
import { REAL_KEY, SAMPLE } from '../end-to-end/fleet.ts';
import { freePorts } from '../support/ports.ts';
import {
  rows,
  type Started,
  startOutrider,
  temporaryDirectory,
  until,
  writeConfig,
} from '../support/processes.ts';

const list = (sidecar: Started): Promise<Response> =>
  fetch(`${sidecar.listen.sidecar!.proxy}/openai/v1/models`);

it('AUD-08: two machines from one image seal in one stream: it is on record, and each goes on in its own', async () => {
  const provider = await startProvider();
  const directory = temporaryDirectory('cloned');
  const [otlp, control, sqlPort] = await freePorts(3);
  const sql = `http://127.0.0.1:${sqlPort}`;
  const listen = `listen: { proxy: 127.0.0.1:0, admin: 127.0.0.1:0, otlp: 127.0.0.1:${otlp}, otlp_grpc: 127.0.0.1:0, control: 127.0.0.1:${control}, sql: 127.0.0.1:${sqlPort} }`;
  const yaml = SAMPLE.replaceAll('{provider}', provider.url).replace(/^listen:.*$/m, listen);
  const config = writeConfig(directory, `${yaml}collector: http://127.0.0.1:${control}\n`);
  const start = (...args: string[]): Promise<Started> =>
    startOutrider([...args, '--config', config], { ready: 1, env: { REAL_KEY, OUTRIDER_TOKEN: '' } });
  const startSidecar = (data = join(directory, 'data')) =>
    start('sidecar', '--agent', 'scout/one', '--data', data);
  const collector = await start('collector', '--data', join(directory, 'data'));
  const first = await startSidecar();
  for (let i = 0; i < 3; i++) expect((await list(first)).status).toBe(200);
  await first.kill('SIGTERM');
  const image = join(directory, 'data', 'agents');
  cpSync(image, join(directory, 'clone', 'agents'), { recursive: true });
  cpSync(join(directory, 'data', 'token'), join(directory, 'clone', 'token'));
  const original = await startSidecar();
  const clone = await startSidecar(join(directory, 'clone'));
  const streams = () =>
    rows<{ stream: string; links: string; hashes: string }>(
      sql,
      `SELECT audit_stream AS stream, toString(uniqExact(audit_seq)) AS links, toString(uniqExact(audit_hash)) AS hashes
       FROM actions GROUP BY stream ORDER BY min(timestamp)`,
    ).catch(() => []);
  const found = await until(
    async () => {
      await list(original);
      await list(clone);
      return await streams();
    },
    (all) => all.length >= 3,
    60_000,
  );
  expect(Number(found[0]!.hashes)).toBeGreaterThan(Number(found[0]!.links));
  for (const { links, hashes } of found.slice(1)) expect(hashes).toBe(links);
  const [event] = await until(
    () =>
      rows<{ agent: string; stream: string }>(
        sql,
        `SELECT agent_id AS agent, JSONExtractString(details, 'stream') AS stream FROM control_events
         WHERE event = 'chain_forked'`,
      ).catch(() => []),
    (events) => events.length > 0,
    20_000,
  );
  expect(event).toEqual({ agent: 'scout', stream: found[0]!.stream });
  await original.kill('SIGTERM');
  await clone.kill('SIGTERM');
  await collector.kill('SIGTERM');
  await provider.close();
}, 150_000);
