// A collector whose data holds logs that ended long ago: what had its time goes from the disk, on record, and what is left is
// exported and verified.

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endLogs } from '../../collector/edges/audit-directory.ts';
import { nodeDisk } from '../../collector/queue/disk.ts';
import type { Verified } from '../../contract/audit/verify.ts';
import { openLogAndFiles } from '../collector/audit/kept-log.ts';
import { manualClock } from '../support/manual-clock.ts';
import {
  rows,
  runOutrider,
  type Started,
  startOutrider,
  temporaryDirectory,
  until,
  writeConfig,
} from '../support/processes.ts';

const DAY_MS = 86_400_000;
const env = { OUTRIDER_TOKEN: '', OUTRIDER_COLLECTOR: '' };
const directory = temporaryDirectory('ended-logs');
const data = join(directory, 'data');
const folder = join(data, 'collector', 'audit');
const config = writeConfig(
  directory,
  'fleet: test\nagents: { scout: {} }\nlisten: { otlp: 127.0.0.1:0, otlp_grpc: 127.0.0.1:0, control: 127.0.0.1:0, sql: 127.0.0.1:0 }\n',
);
let collector: Started;
/** The oldest first. */
const ended: string[] = [];

beforeAll(async () => {
  const first = await startOutrider(['collector', '--config', config, '--data', data], { ready: 1, env });
  await first.kill('SIGTERM');
  rmSync(folder, { recursive: true });
  for (const daysAgo of [400, 300, 100]) {
    const clock = manualClock(Date.now() - daysAgo * DAY_MS);
    const { log } = await openLogAndFiles({ disk: nodeDisk, path: folder, clock });
    ended.push(log.checkpoint().origin.split('/').at(-1)!);
    await log.close();
    await endLogs(nodeDisk, folder);
  }
  collector = await startOutrider(['collector', '--config', config, '--data', data], { ready: 1, env });
});
afterAll(() => collector.kill('SIGTERM'));

const outrider = (...args: readonly string[]) => {
  const { control } = collector.listen.collector!;
  return runOutrider([...args, '--data', data, '--collector', control!], { env });
};

const areThere = () => ended.map((name) => existsSync(join(folder, name)));

describe('audit logs that ended', () => {
  it('stay as long as a legal hold keeps them', async () => {
    const from = new Date(Date.now() - 350 * DAY_MS).toISOString();
    const held = await outrider('store', 'hold', 'add', '--from', from, '--reason', 'case 4711', '--json');
    const { id } = JSON.parse(held.stdout) as { id: string };
    expect((await outrider('store', 'retention', 'run', '--trust-clock')).code).toBe(0);
    expect(areThere()).toEqual([true, true, true]);
    expect((await outrider('store', 'hold', 'end', id, '--reason', 'case closed')).code).toBe(0);
  });

  it('go from the disk once all of them is past its time, and are on record', async () => {
    expect((await outrider('store', 'retention', 'run', '--trust-clock')).code).toBe(0);
    expect(areThere()).toEqual([false, true, true]);
    expect(JSON.parse(readFileSync(join(folder, 'logs.json'), 'utf8'))).not.toContain(ended[0]);
    const query = "SELECT details FROM control_events WHERE event = 'audit_log_dropped'";
    const found = await until(
      () => rows<{ details: string }>(collector.listen.collector!.sql!, query),
      (events) => events.length > 0,
    );
    expect(found.map(({ details }) => JSON.parse(details))).toMatchObject([
      { dropped: ended[0], leaves: 1, root: expect.stringMatching(/^.{44}$/) },
    ]);
  });

  it('are left out of an export that holds all the same, until one is missing that nobody dropped', async () => {
    const exported = join(directory, 'export');
    const made = await outrider('audit', 'export', exported);
    expect([made.code, made.stderr]).toEqual([0, '']);
    const verify = async () => {
      const key = join(exported, 'vkey');
      const { stdout } = await runOutrider(['audit', 'verify', exported, '--key', key, '--json'], { env });
      return JSON.parse(stdout) as Verified;
    };
    expect(await verify()).toMatchObject({ holds: true, findings: [] });
    for (const name of [ended[1]!, ended[2]!]) {
      const checkpoint = join(exported, 'logs', name, 'checkpoint');
      const note = readFileSync(checkpoint);
      rmSync(checkpoint);
      expect((await verify()).findings, name).toMatchObject([{ kind: 'deleted', in: 'checkpoint' }]);
      writeFileSync(checkpoint, note);
    }
  });
});
