// Pinned definitions of tools: on a real database.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openTools, type Tools } from '../../../collector/control/tools.ts';
import { silentLog } from '../../../kit/log.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { type Database, openBench } from './bench.ts';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);
const NAMED = { upstream: 'files', tool: 'read_file' };
const shown = (digest: string, agent = 'scout') => ({ agent, tools: [{ ...NAMED, digest }] });

let bench: Awaited<ReturnType<typeof openBench>>;
let database: Database;
let changes = 0;
beforeAll(async () => {
  bench = await openBench();
  database = bench.database;
});
afterAll(() => bench.close());
beforeEach(async () => {
  await database.query('truncate tools, control_events');
  changes = 0;
});

const open = (): Promise<Tools> =>
  openTools({
    database,
    clock: manualClock(),
    log: silentLog,
    changed: () => {
      changes += 1;
    },
  });
const events = async () =>
  (await database.query<{ event: string }>('select event from control_events order by id')).map(
    ({ event }) => event,
  );

describe('a definition', () => {
  test('is pinned at first sight, for everyone', async () => {
    const tools = await open();
    const [line] = await tools.see(shown(A), 'join');
    expect(line).toEqual({
      ...NAMED,
      digest: A,
      state: 'pinned',
      seen_digest: null,
      accepted_by: 'scout',
      since: expect.stringMatching(/^2026-01-05T00:00:00/),
    });
    await tools.see(shown(A, 'editor'), 'join');
    expect([changes, await events()]).toEqual([1, []]);
    expect((await open()).lines()).toEqual([line]);
  });

  test('that is another is noted once, and stays open until somebody accepts it', async () => {
    const tools = await open();
    await tools.see(shown(A), 'join');
    for (const agent of ['scout', 'editor', 'scout']) {
      const [line] = await tools.see(shown(B, agent), 'join');
      expect(line).toMatchObject({ digest: A, state: 'changed', seen_digest: B });
    }
    expect([changes, await events()]).toEqual([2, ['tool_changed']]);
    const before = tools.revision();
    const accepted = await tools.accept(NAMED, 'anna');
    expect(accepted).toMatchObject({ digest: B, state: 'pinned', seen_digest: null, accepted_by: 'anna' });
    expect(tools.revision()).toBeGreaterThan(before);
    expect(await events()).toEqual(['tool_changed', 'tool_accepted']);
  });

  test('that came back is not trusted by itself: what was seen last is what is accepted', async () => {
    const tools = await open();
    await tools.see(shown(A), 'join');
    await tools.see(shown(B), 'join');
    const [line] = await tools.see(shown(A), 'join');
    expect(line).toMatchObject({ digest: A, state: 'changed', seen_digest: A });
    expect(await tools.accept(NAMED, 'anna')).toMatchObject({ digest: A, state: 'pinned' });
    expect(await events()).toEqual(['tool_changed', 'tool_accepted']);
  });

  test('nobody was shown cannot be accepted, and accepting twice changes nothing', async () => {
    const tools = await open();
    expect(await tools.accept(NAMED, 'anna')).toBeNull();
    await tools.see(shown(A), 'join');
    expect(await tools.accept(NAMED, 'anna')).toMatchObject({ accepted_by: 'scout' });
    expect([changes, await events()]).toEqual([1, []]);
  });
});
