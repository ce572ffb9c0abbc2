// Checkpoints told outside: when, how often, after which failures, and that nothing there is ever written over.

import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { AGAIN_MS_MAX, startAnchors } from '../../../collector/audit/anchors.ts';
import type { SignedCheckpoint } from '../../../collector/audit/growth.ts';
import type { AnchorBook } from '../../../collector/control/anchor-book.ts';
import { anchorByCommand } from '../../../collector/edges/anchor-command.ts';
import { anchorInDirectory } from '../../../collector/edges/anchor-directory.ts';
import { silentLog } from '../../../kit/log.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { temporaryDirectory } from '../../support/processes.ts';

const ORIGIN = 'outrider/test/0a1b2c3d';
const checkpoint = (size: number, note = `note of ${size}\n`): SignedCheckpoint => ({
  origin: ORIGIN,
  size,
  root: Buffer.alloc(32, size),
  signedMs: 0,
  note,
});
const settle = async () => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

function bookOf(known: Record<string, number>, isForgetting: () => boolean): AnchorBook {
  return {
    sizeOf: async (anchor, origin) => known[`${anchor} ${origin}`] ?? 0,
    async keep(anchor, { origin, size }) {
      if (isForgetting()) throw new Error('the control database is away');
      known[`${anchor} ${origin}`] = size;
    },
  };
}

function setUp(known: Record<string, number> = {}) {
  const clock = manualClock();
  const published: number[] = [];
  const world = { failing: false, forgetting: false };
  const place = {
    name: 'directory /worm',
    everyMs: 60_000,
    async publish({ size }: SignedCheckpoint) {
      if (world.failing) throw new Error('There is no directory /worm: mount or make it.');
      published.push(size);
    },
  };
  const start = () =>
    startAnchors([place], { book: bookOf(known, () => world.forgetting), clock, log: silentLog });
  const pass = async (ms: number) => {
    clock.advance(ms);
    await settle();
  };
  return { clock, published, world, known, start, pass, anchors: start() };
}

describe('anchors', () => {
  it('get the newest checkpoint at once, and then one in their time', async () => {
    const { anchors, published, pass } = setUp();
    anchors.tell(checkpoint(1));
    await pass(0);
    for (const size of [2, 3, 4]) anchors.tell(checkpoint(size));
    await pass(59_999);
    expect(published).toEqual([1]);
    await pass(1);
    expect(published).toEqual([1, 4]);
    await pass(600_000);
    expect(published).toEqual([1, 4]); // none twice
    expect(anchors.states()).toEqual([{ name: 'directory /worm', size: 4, failingMs: 0, reason: '' }]);
    await anchors.close();
  });

  it('are asked again after a failure, later each time, and then get the newest', async () => {
    const { anchors, clock, published, world, pass } = setUp();
    world.failing = true;
    const from = clock.monotonicMs();
    anchors.tell(checkpoint(1));
    for (const wait of [0, 1_000, 2_000, 4_000]) await pass(wait);
    anchors.tell(checkpoint(2));
    expect(anchors.states()).toMatchObject([
      { size: 0, failingMs: clock.monotonicMs() - from, reason: expect.stringMatching('no directory') },
    ]);
    world.failing = false;
    await pass(7_999);
    expect(published).toEqual([]);
    await pass(1);
    expect(published).toEqual([2]);
    expect(anchors.states()).toMatchObject([{ size: 2, failingMs: 0, reason: '' }]);
    await anchors.close();
  });

  it('never wait longer than five minutes for the next try', async () => {
    const { anchors, published, world, pass } = setUp();
    world.failing = true;
    anchors.tell(checkpoint(1));
    for (let tries = 0; tries < 20; tries += 1) await pass(AGAIN_MS_MAX);
    world.failing = false;
    await pass(AGAIN_MS_MAX);
    expect(published).toEqual([1]);
    await anchors.close();
  });

  it('are told nothing twice by a collector that starts again', async () => {
    const first = setUp();
    first.anchors.tell(checkpoint(5));
    await first.pass(0);
    await first.anchors.close();
    const { anchors, published, pass } = setUp(first.known);
    anchors.tell(checkpoint(5));
    await pass(0);
    expect(published).toEqual([]);
    expect(anchors.states()).toMatchObject([{ size: 5 }]);
    anchors.tell(checkpoint(6));
    await pass(60_000);
    expect(published).toEqual([6]);
    await anchors.close();
  });

  it('are remembered to have it though the book took it at the second try', async () => {
    const { anchors, published, known, world, pass } = setUp();
    world.forgetting = true;
    anchors.tell(checkpoint(1));
    await pass(0);
    expect(anchors.states()).toMatchObject([{ size: 0, reason: 'the control database is away' }]);
    world.forgetting = false;
    await pass(1_000);
    expect(published).toEqual([1, 1]);
    expect(known).toEqual({ [`directory /worm ${ORIGIN}`]: 1 });
    expect(anchors.states()).toEqual([{ name: 'directory /worm', size: 1, failingMs: 0, reason: '' }]);
    await anchors.close();
  });

  it('are not asked any more once they are closed', async () => {
    const { anchors, published, pass } = setUp();
    anchors.tell(checkpoint(1));
    await anchors.close();
    await pass(60_000);
    expect(published).toEqual([]);
  });
});

describe('a directory as an anchor', () => {
  let directory: string;
  beforeEach(() => {
    directory = join(temporaryDirectory('anchors'), randomBytes(4).toString('hex'));
    mkdirSync(directory);
  });

  it('has a file for each checkpoint, in a folder of the log', async () => {
    await anchorInDirectory(directory, checkpoint(3));
    await anchorInDirectory(directory, checkpoint(9));
    expect(readdirSync(join(directory, '0a1b2c3d')).sort()).toEqual(['checkpoint-3', 'checkpoint-9']);
    expect(readFileSync(join(directory, '0a1b2c3d/checkpoint-9'), 'utf8')).toBe('note of 9\n');
  });

  it('takes the same again, and refuses another of that size', async () => {
    await anchorInDirectory(directory, checkpoint(3));
    await anchorInDirectory(directory, checkpoint(3));
    const forked = anchorInDirectory(directory, checkpoint(3, 'another note of 3\n'));
    await expect(forked).rejects.toThrow('is there already and is another');
    expect(readFileSync(join(directory, '0a1b2c3d/checkpoint-3'), 'utf8')).toBe('note of 3\n');
  });

  it('is not made where it is not mounted', async () => {
    const absent = join(directory, 'not-mounted');
    await expect(anchorInDirectory(absent, checkpoint(3))).rejects.toThrow('There is no directory');
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe('a command as an anchor', () => {
  const never = new AbortController().signal;

  it('gets the note on its standard input, and the log and its size beside it', async () => {
    const path = join(temporaryDirectory('anchors'), 'taken');
    const script = `cat > ${path}; echo "$OUTRIDER_ANCHOR_ORIGIN $OUTRIDER_ANCHOR_SIZE" >> ${path}`;
    await anchorByCommand(['sh', '-c', script], checkpoint(7), never);
    expect(readFileSync(path, 'utf8')).toBe(`note of 7\n${ORIGIN} 7\n`);
  });

  it('fails with what it said', async () => {
    const failing = anchorByCommand(['sh', '-c', 'echo no space >&2; exit 3'], checkpoint(7), never);
    await expect(failing).rejects.toThrow('sh ended with 3: no space');
    await expect(anchorByCommand(['/no/such/program'], checkpoint(7), never)).rejects.toThrow('ENOENT');
  });

  it('is given up when it takes too long', async () => {
    await expect(anchorByCommand(['sleep', '600'], checkpoint(7), never, 50)).rejects.toThrow(
      'sleep took longer than 0.05 s.',
    );
  });

  it('is ended, with all that it began, when the collector stops', async () => {
    const path = join(temporaryDirectory('anchors'), 'process');
    writeFileSync(path, '');
    const stop = new AbortController();
    const running = anchorByCommand(
      ['sh', '-c', `sleep 600 & echo $! > ${path}; wait`],
      checkpoint(7),
      stop.signal,
    );
    const begun = () => Number(readFileSync(path, 'utf8')) > 0;
    await until(begun);
    stop.abort();
    await expect(running).rejects.toThrow();
    const pid = Number(readFileSync(path, 'utf8'));
    await until(() => !existsSync(`/proc/${pid}`) || / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')));
  });
});

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resume) => setTimeout(resume, 5));
}
