// The digest: once a day at its hour, out of real rows, to the digest channel alone.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDefinitions } from '../../../collector/alerts/definition.ts';
import { digestIfDue, latestHour } from '../../../collector/alerts/digest.ts';
import { type AlertBook, createAlertBook } from '../../../collector/control/alert-book.ts';
import { readAlertFiles } from '../../../collector/edges/alert-files.ts';
import { configOf, openBench } from '../control/bench.ts';
import { NOW_MS, openWorld, type World } from './world.ts';

const HOUR = 3_600_000;
const [definition] = parseDefinitions(readAlertFiles()).digests;

let world: World;
let bench: Awaited<ReturnType<typeof openBench>>;
let book: AlertBook;
beforeAll(async () => {
  [world, bench] = await Promise.all([openWorld(), openBench()]);
  book = createAlertBook(bench.database);
  await world.calls([
    { agent: 'writer', ago: 60, dollars: 1.25, tokens: 100 },
    { agent: 'writer', ago: 60, status: 'failure', dollars: 0.25 },
    { agent: 'scout', ago: 60, refusal: 'over_budget' },
    { agent: 'scout', ago: 48 * 60, dollars: 99 },
  ]);
  await world.event('task_ended', 'writer', 60, { task: 't', state: 'done' });
  await world.event('alert_fired', 'writer', 60, { alert: 'error-rate' });
});
afterAll(() => Promise.all([world.close(), bench.close()]));

const digest = async (yaml: string, nowMs: number, pace = 1): Promise<boolean> => {
  const config = await configOf(yaml);
  const options = {
    config: () => config,
    scene: { fleet: 'test', consoleUrl: 'http://127.0.0.1:4319' },
    pace,
    book,
    ask: (sql: string, parameters: Record<string, unknown>) =>
      world.store.query<Record<string, unknown>>(sql, parameters),
  };
  return digestIfDue(definition!, options, nowMs);
};
const sent = () => book.due(NOW_MS + 100 * HOUR, 10);

describe('the digest', () => {
  const WITH = 'alerts: { digest: slack env:SLACK }';

  it('waits for its hour, and is sent once', async () => {
    const morning = latestHour('08:00', 'UTC', NOW_MS) + 24 * HOUR;
    expect(await digest(WITH, morning - HOUR)).toBe(false);
    expect(await digest(WITH, morning - 1)).toBe(false);
    expect(await digest('', morning)).toBe(false);
    expect(await digest(WITH, morning)).toBe(true);
    expect(await digest(WITH, morning + HOUR)).toBe(false);
    expect(await sent()).toMatchObject([{ channel: 'digest', page: { action: 'digest', severity: 'info' } }]);
    expect(await digest(WITH, morning + 24 * HOUR)).toBe(true);
  });

  it('says what the day was like', async () => {
    await bench.database.query('truncate alert_sends, alert_marks cascade');
    await digest(WITH, NOW_MS - 48 * HOUR);
    await digest(WITH, NOW_MS);
    const [send] = await sent();
    const { details } = send!.page;
    expect(details['Cost per agent']!.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['agent', 'cost', 'calls', 'failed', 'refused'],
      ['writer', '$1.5', '2', '1', '0'],
      ['scout', '$0', '1', '0', '1'],
    ]);
    expect(details['Tasks ended']).toMatch(/^writer +1 +0$/m);
    expect(Object.values(details).join()).not.toContain('could not be asked');
    expect(details.Refused).toMatch(/^over_budget +1 +scout$/m);
    expect(details.Alerts).toMatch(/^error-rate +1 +0$/m);
  });
});

describe('the hour', () => {
  it.each([
    ['08:00', 'UTC', '2026-03-10T09:00Z', '2026-03-10T08:00Z'],
    ['08:00', 'UTC', '2026-03-10T07:59Z', '2026-03-09T08:00Z'],
    ['08:00', 'Europe/Berlin', '2026-07-10T06:30Z', '2026-07-10T06:00Z'],
    ['08:00', 'America/New_York', '2026-01-10T12:00Z', '2026-01-09T13:00Z'],
    // the days on which the clocks change, and a time that is skipped or shown twice
    ['08:00', 'Europe/Berlin', '2026-03-29T05:59Z', '2026-03-28T07:00Z'],
    ['08:00', 'Europe/Berlin', '2026-03-29T06:00Z', '2026-03-29T06:00Z'],
    ['08:00', 'Europe/Berlin', '2026-10-25T06:59Z', '2026-10-24T06:00Z'],
    ['08:00', 'Europe/Berlin', '2026-10-25T07:00Z', '2026-10-25T07:00Z'],
    ['02:30', 'Europe/Berlin', '2026-03-29T12:00Z', '2026-03-29T01:30Z'],
    ['02:30', 'Europe/Berlin', '2026-10-25T12:00Z', '2026-10-25T00:30Z'],
  ])('%s in %s, seen at %s', (at, timezone, now, expected) => {
    expect(latestHour(at, timezone, Date.parse(now))).toBe(Date.parse(expected));
  });
});
