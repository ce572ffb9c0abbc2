// Logs that ended, and their end: what goes when, that the log in use says so before, and that a collector which dies in
// between goes on.

import { hash } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openEndedLogs } from '../../../collector/audit/ended-logs.ts';
import { endLogs, openAuditDirectory } from '../../../collector/edges/audit-directory.ts';
import { silentLog } from '../../../kit/log.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { forgetfulDisk } from '../queue/forgetful-disk.ts';
import { AUDIT, leavesOnDisk, openLogAndFiles } from './kept-log.ts';

const START = Date.UTC(2026, 0, 5);
const DAY_MS = 86_400_000;

/** Logs that began on days 0, 10, 20, … of which the last one is in use. */
async function logsOf(count: number) {
  const clock = manualClock(START);
  const memory = forgetfulDisk(() => clock.nowMs());
  const { disk } = memory.live(() => null);
  const names: string[] = [];
  const notes: string[] = [];
  for (let number = 0; number < count - 1; number += 1) {
    const { log } = await openLogAndFiles({ disk, clock });
    names.push(log.checkpoint().origin.split('/').at(-1)!);
    clock.advance(10 * DAY_MS);
    await log.close();
    notes.push(
      memory
        .files()
        .get(join(AUDIT, names.at(-1)!, 'checkpoint'))!
        .toString(),
    );
    await endLogs(disk, AUDIT);
  }
  const inUse = await openLogAndFiles({ disk, clock });
  const noted: { readonly name: string; readonly checkpoint: string }[] = [];
  const open = async (more: object = {}) =>
    openEndedLogs({
      directory: await openAuditDirectory(disk, AUDIT, silentLog),
      audit: inUse.log,
      files: inUse.files,
      pruning: { minimumIndex: () => 0 },
      note: async ({ name }, checkpoint) => void noted.push({ name, checkpoint }),
      ...more,
    });
  const folders = () =>
    new Set([...memory.files().keys()].map((path) => path.slice(AUDIT.length + 1).split('/')[0]));
  const told = () =>
    leavesOnDisk(memory.files())
      .leaves.filter(({ kind }) => kind === 'pruned')
      .map(({ digest }) => Buffer.from(digest).toString('hex'));
  const digests = notes.map((note) => hash('sha256', note, 'hex'));
  return { disk, memory, names, digests, noted, open, folders, told, log: inUse.log };
}

describe('logs that ended', () => {
  it('are dropped whole, the oldest first, each once the next had begun before the time', async () => {
    const { names, digests, noted, open, folders, told, log } = await logsOf(3);
    const ended = await open();
    await ended.dropBefore(START + 10 * DAY_MS);
    expect(ended.all().map(({ name }) => name)).toEqual(names);
    expect(told()).toEqual([]);
    await ended.dropBefore(START + 10 * DAY_MS + 1);
    expect(ended.all().map(({ name }) => name)).toEqual([names[1]]);
    expect([folders().has(names[0]!), folders().has(names[1]!)]).toEqual([false, true]);
    await ended.dropBefore(START + 400 * DAY_MS);
    expect(ended.all()).toEqual([]);
    expect(told()).toEqual(digests);
    expect(noted).toEqual(names.map((name, at) => ({ name, checkpoint: digests[at] })));
    expect([...folders()].sort()).toEqual([log.checkpoint().origin.split('/').at(-1), 'logs.json'].sort());
    expect((await open()).all()).toEqual([]);
    await log.close();
  });

  it('go by the one after the next, where the next is damaged', async () => {
    const { names, memory, open, log } = await logsOf(3);
    for (const path of memory.files().keys())
      if (path.startsWith(join(AUDIT, names[1]!, 'tile/entries')))
        memory.damage(path, (bytes) => bytes.fill(0));
    const ended = await open();
    await ended.dropBefore(START + 15 * DAY_MS);
    expect(ended.all().map(({ name }) => name)).toEqual(names);
    await ended.dropBefore(START + 21 * DAY_MS);
    expect(ended.all()).toEqual([]);
    await log.close();
  });

  it('keep no collector from its start where what they were pruned to is damaged', async () => {
    const { names, disk, open, log } = await logsOf(2);
    const { filesOf } = await openAuditDirectory(disk, AUDIT, silentLog);
    await filesOf(names[0]!).replace('pruned.json', Buffer.from('\0\0'));
    expect((await open()).all()).toMatchObject([{ name: names[0], minimumIndex: 0 }]);
    await log.close();
  });

  it('stay while the log in use could not say that they go', async () => {
    const { names, memory, open, folders, log } = await logsOf(2);
    const before = memory.files().size;
    const full = { ...log, saysDropped: () => Promise.reject(new Error('no space')) };
    await expect((await open({ audit: full })).dropBefore(START + 11 * DAY_MS)).rejects.toThrow('no space');
    expect([folders().has(names[0]!), memory.files().size]).toEqual([true, before]);
    await log.close();
  });

  it('go on going where a collector died, and are shown no more', async () => {
    const { disk, names, digests, open, folders, told, noted, log } = await logsOf(2);
    const directory = await openAuditDirectory(disk, AUDIT, silentLog);
    const dies = { ...directory, remove: () => Promise.reject(new Error('killed')) };
    const ended = await open({ directory: dies });
    await expect(ended.dropBefore(START + 11 * DAY_MS)).rejects.toThrow('killed');
    const next = await open();
    expect([next.all(), folders().has(names[0]!)]).toEqual([[], true]);
    await next.dropBefore(START);
    expect(folders().has(names[0]!)).toBe(false);
    expect([told(), noted.length]).toEqual([digests, 1]);
    await log.close();
  });
});
