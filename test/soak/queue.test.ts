// The queue's model at length: a hundred thousand steps of requests, crashes, power cuts, disk errors and an absent store, from
// seeds; and every byte of a torn page. A failure says which seed to play again (OUTRIDER_SEED=… vitest run test/collector/queue).

import { linkSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { openQueue } from '../../collector/queue/queue.ts';
import { systemClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';
import { STEPS as DYING_STEPS, dieAgainAndAgain } from '../collector/queue/dying-rounds.ts';
import { simulate } from '../collector/queue/simulation.ts';
import { requestOf, spanIdOf } from '../collector/receive/otlp-messages.ts';

const STEPS_PER_SEED = 120;
const STEPS = Number(process.env.SOAK_STEPS ?? 100_000);
const SEED = Number(process.env.SOAK_SEED ?? Date.now() % 1_000_000);

describe('COL-32: a queue against an ideal one', () => {
  it(`${STEPS} steps from seed ${SEED}: what was acknowledged is there once`, async () => {
    for (let seed = SEED; seed < SEED + STEPS / STEPS_PER_SEED; seed += 1) {
      const { acknowledged, poisonous, stored, quarantined, filesLeft, outOfOrder } = await simulate(seed);
      const lost = acknowledged.filter((digest) => !stored.has(digest) && !quarantined.has(digest));
      expect(lost, `seed ${seed}`).toEqual([]);
      expect(
        [...stored.values()].every((count) => count === 1),
        `seed ${seed}`,
      ).toBe(true);
      expect(
        [...quarantined.keys()].every((digest) => poisonous.has(digest)),
        `seed ${seed}`,
      ).toBe(true);
      expect(filesLeft, `seed ${seed}`).toEqual([]);
      expect(outOfOrder, `seed ${seed}`).toEqual([]);
    }
  });
});

describe('COL-02: a process that kills itself', () => {
  const TIMES = Number(process.env.SOAK_DYING_TIMES ?? 4);

  it.each(DYING_STEPS)('at %s, the first times it comes to it, has all it acknowledged once', (step) => {
    const directory = mkdtempSync(join(tmpdir(), 'outrider-dying-'));
    const deaths = Array.from({ length: TIMES }, (_, index) => index + 1).flatMap((times) =>
      (['before', 'after'] as const).map((when) => ({ step, times, when })),
    );
    expect(dieAgainAndAgain(directory, deaths)).toBeGreaterThan(0);
    rmSync(directory, { recursive: true, force: true });
  });
});

describe('COL-18: a start with ten GiB of segments on a real disk', () => {
  const SEGMENT_BYTES = 8 * 1024 * 1024;
  const SEGMENTS = 1_280;
  const READY_MS_MAX = 5_000;
  const GROWTH_BYTES_MAX = 64 * 1024 * 1024;

  it('is ready in five seconds, takes requests, and holds none of it in memory', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'outrider-backlog-'));
    for (const room of ['segments', 'manifest']) mkdirSync(join(directory, room), { recursive: true });
    const first = join(directory, 'sparse');
    writeFileSync(first, '');
    truncateSync(first, SEGMENT_BYTES);
    const ids = Array.from({ length: SEGMENTS }, (_, at) => `${String(at + 1).padStart(12, '0')}-00c0ffee`);
    for (const id of ids) linkSync(first, join(directory, 'segments', `${id}.segment`));
    const lines = ids.map((id) => {
      const json = JSON.stringify({
        id,
        bytes: SEGMENT_BYTES,
        atMs: Date.now(),
        loaded: false,
        split: [],
        digests: '',
      });
      return `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`;
    });
    writeFileSync(join(directory, 'manifest', '000000000000001.log'), lines.join(''));

    const before = process.memoryUsage.rss();
    const beganMs = performance.now();
    const away = { load: () => new Promise<never>(() => undefined) };
    const queue = await openQueue({ directory, loader: away, log: silentLog, clock: systemClock });
    const readyMs = performance.now() - beganMs;
    expect(await queue.append(requestOf([{ spanId: spanIdOf(1) }]), 'scout/host-1')).toMatchObject({
      kind: 'stored',
    });
    const grownBytes = process.memoryUsage.rss() - before;
    expect(queue.depth().bytes).toBeGreaterThan(10 * 1024 ** 3);
    process.stdout.write(
      `ready in ${Math.round(readyMs)} ms, ${Math.round(grownBytes / 2 ** 20)} MiB more\n`,
    );
    expect(readyMs).toBeLessThan(READY_MS_MAX);
    expect(grownBytes).toBeLessThan(GROWTH_BYTES_MAX);
    rmSync(directory, { recursive: true, force: true }); // it stays open: its loader never answers
  });
});
