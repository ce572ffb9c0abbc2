// What an auditor does: exports the log of a real fleet, verifies it with the key alone, and hears of the record that somebody
// changed in the store behind everybody's back.

import { hash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../collector/store/store.ts';
import type { Verified } from '../../contract/audit/verify.ts';
import { systemClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';
import { requestOf } from '../collector/receive/otlp-messages.ts';
import { control, runOutrider, temporaryDirectory } from '../support/processes.ts';
import { type Fleet, REAL_KEY, startFleet } from './fleet.ts';

const env = { REAL_KEY, OUTRIDER_TOKEN: '', OUTRIDER_COLLECTOR: '' };
const directory = temporaryDirectory('audit');
const key = join(directory, 'vkey');
let fleet: Fleet;
let calls: string[];

beforeAll(async () => {
  fleet = await startFleet();
  calls = [];
  for (const model of ['gpt-5-mini', 'o1', 'gpt-5-mini', 'dollar']) calls.push(await call(model));
  await fleet.actions(calls);
  writeFileSync(key, await textOf('/v1/audit/key'));
});
afterAll(() => fleet.stop());

async function call(model: string): Promise<string> {
  const answer = await fetch(`${fleet.proxy}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Say hello.' }] }),
  });
  await answer.arrayBuffer();
  return answer.headers.get('x-outrider-call') ?? '';
}

async function textOf(path: string): Promise<string> {
  const authorization = `Bearer ${readFileSync(join(fleet.directory, 'token'), 'utf8').trim()}`;
  return (await fetch(new URL(path, fleet.control), { headers: { authorization } })).text();
}

const audit = (...args: readonly string[]) => runOutrider(['audit', ...args], { env });
const exportTo = (name: string) =>
  audit('export', join(directory, name), '--data', fleet.directory, '--collector', fleet.control, '--json');
async function verify(name: string, ...more: readonly string[]) {
  const { code, stdout, stderr } = await audit(
    'verify',
    join(directory, name),
    '--key',
    key,
    '--json',
    ...more,
  );
  return { code, stderr, found: JSON.parse(stdout) as Verified };
}

/** Changes the store while nobody is there to see it, as its owner could. */
async function tamper(statement: string): Promise<void> {
  await fleet.process().kill('SIGTERM');
  const store = await openStore({
    dataDirectory: join(fleet.directory, 'collector', 'store'),
    sqlListen: '127.0.0.1:0',
    asFound: true,
    log: silentLog,
    clock: systemClock,
  });
  await store.command(`${statement} SETTINGS mutations_sync = 2`);
  await store.close();
  await fleet.restart();
}

describe('outrider audit', () => {
  it.runIf(existsSync('/proc/self'))('says at once that a place takes no export', async () => {
    const { code, stderr } = await audit('export', '/proc/export', '--data', fleet.directory);
    expect([code, stderr]).toEqual([1, expect.stringContaining('/proc takes no folders; name another one')]);
  });

  it('exports what verifies with the public key alone', async () => {
    const exported = await exportTo('first');
    expect([exported.code, exported.stderr]).toEqual([0, '']);
    expect(JSON.parse(exported.stdout)).toMatchObject({ fleet: 'test', actions: calls.length });
    const { code, found } = await verify('first');
    expect(found.findings).toEqual([]);
    expect([code, found.records, found.streams, found.unlogged]).toEqual([0, calls.length, 1, 0]);
    expect(found.control_events).toBeGreaterThan(0);
  });

  it('proves by its receipt that a request is in the log', async () => {
    const request = requestOf([{}]);
    const url = fleet.process().listen.collector!.otlp!;
    const headers = { 'content-type': 'application/x-protobuf' };
    const answer = await fetch(`${url}/v1/traces`, { method: 'POST', headers, body: request });
    const receipt = answer.headers.get('x-outrider-receipt')!;
    expect(receipt).toBe(`sha256:${hash('sha256', request, 'hex')}`);
    await control(fleet.control, fleet.directory, '/v1/audit/checkpoints');
    expect((await exportTo('second')).code).toBe(0); // it is in the log when that has settled
    const proof = await audit('proof', receipt, '--data', fleet.directory, '--collector', fleet.control);
    expect(proof.stdout).toMatch(/^c2sp\.org\/tlog-proof@v1\nindex \d+\n/);
    expect((await verify('second', '--against', join(directory, 'first'))).found.findings).toEqual([]);
  });

  it('AUD-05 names the row that was altered in the store, and goes on with the same log after a restart', async () => {
    await tamper(`ALTER TABLE actions UPDATE verdict = 'deny' WHERE call_id = '${calls[2]}'`);
    expect((await exportTo('altered')).code).toBe(0);
    const { code, found } = await verify('altered', '--against', join(directory, 'first'));
    expect(code).toBe(1);
    expect(found.findings).toMatchObject([{ kind: 'altered', call_id: calls[2] }]);
  });

  it('AUD-05 names the row that was deleted from the store', async () => {
    await tamper(`ALTER TABLE actions DELETE WHERE call_id = '${calls[1]}'`);
    expect((await exportTo('deleted')).code).toBe(0);
    const { code, found } = await verify('deleted');
    expect(code).toBe(1);
    expect(found.findings.map(({ kind }) => kind)).toContain('deleted');
  });

  it('exports a log that was damaged on disk as it is, and names what is missing of it', async () => {
    const folder = join(fleet.directory, 'collector', 'audit');
    const [log] = JSON.parse(readFileSync(join(folder, 'logs.json'), 'utf8')) as string[];
    await fleet.process().kill('SIGTERM');
    rmSync(join(folder, log!, 'tile', 'entries'), { recursive: true });
    await fleet.restart();
    const { code, stderr } = await exportTo('damaged');
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^The log is damaged: logs\/.* is missing; /)]);
    const [another] = (await verify('damaged')).found.findings;
    expect(another).toMatchObject({ kind: 'unsigned', what: expect.stringContaining('another began') });
    const { found } = await verify('damaged', '--key', join(directory, 'damaged', 'vkey'));
    expect(found.findings[0]).toMatchObject({ kind: 'truncated', in: 'leaf', log_index: 0 });
  });
});
