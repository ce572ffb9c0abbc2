// A backup of a real fleet at work, restored beside it: rows, budgets and chains are the same, calls go on, and what was
// tampered with is refused.

import { hash } from 'node:crypto';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeLeaf } from '../../contract/audit/leaf.ts';
import type { BackupManifest, BackupState } from '../../contract/backup.ts';
import { decodeBundle } from '../../kit/tlog/tiles.ts';
import {
  control,
  rows,
  runOutrider,
  startOutrider,
  temporaryDirectory,
  until,
} from '../support/processes.ts';
import { type Budget, type Fleet, REAL_KEY, startFleet } from './fleet.ts';

const env = { REAL_KEY, OUTRIDER_TOKEN: '', OUTRIDER_COLLECTOR: '' };
const directory = temporaryDirectory('backups');
const folder = join(directory, 'monday');
let fleet: Fleet;
let calls: string[];
beforeAll(async () => {
  fleet = await startFleet();
  calls = await Promise.all(
    ['gpt-5-mini', 'dollar', 'gpt-5-mini', 'o1'].map((model) => call(fleet.proxy, model)),
  );
});
afterAll(() => fleet.stop());

async function call(proxy: string, model: string): Promise<string> {
  const answer = await fetch(`${proxy}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Say hello.' }] }),
  });
  await answer.arrayBuffer();
  return answer.headers.get('x-outrider-call') ?? '';
}

const store = (...args: readonly string[]) => runOutrider(['store', ...args], { env });
const manifestOf = (path: string) =>
  JSON.parse(readFileSync(join(path, 'manifest.json'), 'utf8')) as BackupManifest;
const ALL = 'SELECT * FROM actions ORDER BY audit_stream, audit_seq';

/** The oldest entries of a log, which has less than 256. */
function firstBundle(log: string): Buffer {
  const folder = join(log, 'tile', 'entries', '000.p');
  const widths = readdirSync(folder).map(Number);
  return readFileSync(join(folder, String(Math.max(...widths))));
}

const data = join(directory, 'restored');
let atBackup: unknown[];

describe('outrider store', () => {
  it('backs up a collector that runs, in the middle of calls', async () => {
    await fleet.actions(calls);
    const due = await paid(fleet.sql);
    await until(
      () => spent(fleet.control, fleet.directory),
      (posted) => posted === due,
    );
    atBackup = await fleet.query(ALL);
    const { code, stderr, stdout } = await store(
      'backup',
      folder,
      '--data',
      fleet.directory,
      '--collector',
      fleet.control,
    );
    expect([code, stderr]).toEqual([0, expect.stringContaining('settling')]);
    expect(stdout).toMatch(/^Backed up \d+ rows in [\d.]+ MB to /);
    const manifest = manifestOf(folder);
    expect(manifest.rows.actions).toBe(4);
    expect(manifest.audit.map(({ records }) => records)).toEqual(['4']);
    expect(Object.keys(manifest.control)).toContain('entries');
    expect(readdirSync(join(fleet.directory, 'backups'))).toEqual([]);
    const [event] = await fleet.query(`SELECT 1 FROM system.tables WHERE name = 'control_events'`);
    expect(event).toBeDefined();
  });

  it('restores it elsewhere, once', async () => {
    const later = await call(fleet.proxy, 'dollar');
    await fleet.actions([later]);
    const restored = await store('restore', folder, '--data', data);
    expect([restored.code, restored.stdout]).toEqual([
      0,
      expect.stringContaining('they are what was backed up'),
    ]);
    const again = await store('restore', folder, '--data', data);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('is not empty')]);
  });

  it('has the same rows, budgets and chains there, and calls go on', async () => {
    const up = await startOutrider(['up', '--config', fleet.config, '--data', data], { ready: 2, env });
    try {
      const sql = up.listen.collector!.sql!;
      expect(await rows(sql, ALL)).toEqual(atBackup);
      const before = await spent(up.listen.collector!.control!, data);
      expect(before).toBe(await paid(sql));
      // Nothing is granted at first (BUD-22): the ledger may have granted since what it does not know of.
      const place = ['--collector', up.listen.collector!.control!, '--data', data];
      const learned = ['budgets', 'learned', '--reason', 'nobody else is left', ...place];
      expect((await runOutrider(learned, { env })).stdout).toBe('The ledger grants again.\n');
      const next = await call(up.listen.sidecar!.proxy!, 'dollar');
      await until(
        () => rows<{ status: string }>(sql, `SELECT status FROM actions WHERE call_id = '${next}'`),
        ([found]) => found?.status === 'success',
      );
      await until(
        () => spent(up.listen.collector!.control!, data),
        (posted) => posted === before + 1_000_000_000n,
      );
    } finally {
      await up.kill('SIGTERM');
    }
  });

  it('goes on with no log that another may go on with, and takes no key along', () => {
    const audit = (root: string) => join(root, 'collector', 'audit');
    const names = readdirSync(join(folder, 'audit'), { recursive: true }).map(String);
    expect(names.filter((name) => name.includes('.pem'))).toEqual([]);
    expect(names.some((name) => name.endsWith('/tile/0/000.p/1') || name.includes('/tile/entries/'))).toBe(
      true,
    );
    const logsIn = (root: string) =>
      JSON.parse(readFileSync(join(audit(root), 'logs.json'), 'utf8')) as string[];
    const [own, before] = [logsIn(data), logsIn(fleet.directory)];
    expect(own).toEqual([expect.stringMatching(/^[0-9a-f]{16}$/), ...before]);
    const note = readFileSync(join(audit(data), before[0]!, 'checkpoint'));
    const first = decodeBundle(firstBundle(join(audit(data), own[0]!)))[0]!;
    expect(decodeLeaf(first)).toMatchObject({ kind: 'start', digest: hash('sha256', note, 'buffer') });
  });

  it('proves what both logs hold, from a collector that does not run', async () => {
    const audit = (...args: readonly string[]) => runOutrider(['audit', ...args], { env });
    const exported = join(directory, 'exported');
    const done = await audit('export', exported, '--data', data);
    expect([done.code, done.stdout]).toEqual([
      0,
      expect.stringMatching(/^Exported 5 records and \d+ control/),
    ]);
    const key = ['--key', join(data, 'collector', 'audit', 'vkey'), '--json'];
    const { code, stdout } = await audit('verify', exported, ...key);
    expect(JSON.parse(stdout)).toMatchObject({ findings: [], records: 5, unlogged: 0 });
    expect(code).toBe(0);
    const [earlier] = readdirSync(join(exported, 'logs'));
    rmSync(join(exported, 'logs', earlier!), { recursive: true });
    const without = await audit('verify', exported, ...key);
    expect(JSON.parse(without.stdout).findings).toMatchObject([{ kind: 'deleted', in: 'checkpoint' }]);
  });

  it('backs up a collector that is stopped', async () => {
    const offline = join(directory, 'offline');
    expect((await store('backup', offline, '--data', data)).code).toBe(0);
    expect(manifestOf(offline).rows.actions).toBe(5);
    const third = join(directory, 'third');
    expect((await store('restore', offline, '--data', third)).code).toBe(0);
  });

  it.each([
    [
      'a byte more in a file',
      (copy: string) => appendFileSync(join(copy, aFile(copy)), 'x'),
      'its hash differs',
    ],
    ['a file less', (copy: string) => unlinkSync(join(copy, aFile(copy))), 'is missing'],
    [
      'a file more',
      (copy: string) => appendFileSync(join(copy, 'store', 'stranger'), 'x'),
      'does not belong',
    ],
    ['no manifest', (copy: string) => unlinkSync(join(copy, 'manifest.json')), 'it is no backup'],
    ['another past', (copy: string) => alter(copy), 'are not what was backed up'],
  ])('refuses %s, and leaves nothing behind', async (name, damage, sentence) => {
    const copy = join(directory, `copy of ${name}`);
    cpSync(folder, copy, { recursive: true });
    damage(copy);
    const target = join(directory, `from ${name}`);
    const { code, stderr } = await store('restore', copy, '--data', target);
    expect([code, stderr]).toEqual([1, expect.stringContaining(sentence)]);
    expect(existsSync(target) ? readdirSync(target) : []).toEqual([]);
  });

  it('takes a copy that lost its empty folders', async () => {
    const copy = join(directory, 'no empty folders');
    cpSync(folder, copy, { recursive: true });
    const manifest = manifestOf(copy);
    const empty = manifest.folders.filter((path) => readdirSync(join(copy, path)).length === 0);
    expect(empty.length).toBeGreaterThan(0);
    for (const path of empty) rmSync(join(copy, path), { recursive: true });
    expect((await store('restore', copy, '--data', join(directory, 'from files'))).code).toBe(0);
  });

  it('keeps one that nobody took away until the next is begun', async () => {
    const authorization = `Bearer ${readFileSync(join(fleet.directory, 'token'), 'utf8').trim()}`;
    const ids: string[] = [];
    for (let made = 0; made < 2; made++) {
      const begun = await fetch(`${fleet.control}/v1/store/backup`, {
        method: 'POST',
        headers: { authorization },
      });
      expect(begun.status).toBe(202);
      const { id } = await until(
        () => control<BackupState>(fleet.control, fleet.directory, '/v1/store/backup'),
        ({ step }) => step === 'done' || step === 'failed',
      );
      ids.push(id);
    }
    expect(readdirSync(join(fleet.directory, 'backups'))).toEqual([ids[1]]);
  });

  it('overwrites nothing', async () => {
    const taken = join(directory, 'taken');
    mkdirSync(join(taken, 'x'), { recursive: true });
    const { code, stderr } = await store(
      'backup',
      taken,
      '--data',
      fleet.directory,
      '--collector',
      fleet.control,
    );
    expect([code, stderr]).toEqual([1, expect.stringContaining('is there already')]);
  });

  it('puts none where it would be lost with the data directory, told of that directory or not', async () => {
    const link = join(directory, 'link');
    symlinkSync(fleet.directory, link);
    const collector = ['--collector', fleet.control];
    const token = readFileSync(join(fleet.directory, 'token'), 'utf8').trim();
    for (const place of [join(fleet.directory, 'backups', 'x'), join(link, 'x'), fleet.directory]) {
      const told = await store('backup', place, '--data', fleet.directory, ...collector);
      expect([told.code, told.stderr]).toEqual([1, expect.stringMatching(/data directory|there already/)]);
    }
    const untold = await runOutrider(['store', 'backup', join(link, 'x'), ...collector], {
      env: { ...env, OUTRIDER_TOKEN: token, OUTRIDER_DATA: join(directory, 'none') },
    });
    expect([untold.code, untold.stderr]).toEqual([1, expect.stringContaining("collector's data directory")]);
    expect(existsSync(join(fleet.directory, 'x'))).toBe(false);
  });

  it.runIf(existsSync('/proc/self'))('says at once that a place takes no folders', async () => {
    const sentence = "/proc/monday can't be made: /proc takes no folders";
    const backup = await store('backup', '/proc/monday', '--data', fleet.directory);
    expect([backup.code, backup.stderr]).toEqual([1, expect.stringContaining(sentence)]);
    const restored = await store('restore', folder, '--data', '/proc/monday');
    expect([restored.code, restored.stderr]).toEqual([1, expect.stringContaining(sentence)]);
  });
});

async function spent(url: string, data: string): Promise<bigint> {
  const budgets = await control<Budget[]>(url, data, '/v1/budgets');
  const agent = budgets.find(({ level }) => level === 'agent');
  return BigInt(agent?.posted ?? 0);
}

/** Nanodollars that the records say were paid. */
async function paid(sql: string): Promise<bigint> {
  const [sum] = await rows<{ paid: string }>(
    sql,
    'SELECT toString(toInt64(sum(cost_usd) * 1000000000)) AS paid FROM actions',
  );
  return BigInt(sum?.paid ?? 0);
}

const aFile = (copy: string): string =>
  manifestOf(copy).files.find(({ path }) => path.endsWith('.bin'))!.path;

/** A manifest that claims one record less: the files are whole, the figures are not theirs. */
function alter(copy: string): void {
  const manifest = manifestOf(copy);
  const chain = manifest.audit[0]!;
  rmSync(join(copy, 'manifest.json'));
  appendFileSync(
    join(copy, 'manifest.json'),
    JSON.stringify({ ...manifest, audit: [{ ...chain, digest: '1' }] }),
  );
}
