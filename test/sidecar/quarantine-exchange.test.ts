// The list of what is held apart, kept as the collector has it: from disk, at the start, and whenever it changes.

import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { QuarantineLine } from '../../contract/quarantine.ts';
import { silentLog } from '../../kit/log.ts';
import type { ControlPlane } from '../../sidecar/edges/control-plane.ts';
import { openQuarantineFile } from '../../sidecar/edges/quarantine-file.ts';
import { createQuarantineExchange } from '../../sidecar/quarantine-exchange.ts';
import { createQuarantine, type Quarantine } from '../../sidecar/state/quarantine.ts';
import { type ManualClock, manualClock } from '../support/manual-clock.ts';
import { temporaryDirectory } from '../support/processes.ts';

const HOUR_MS = 3_600_000;
const line = (subject: string, ms_left: number | null = null): QuarantineLine => ({
  subject,
  kind: 'agent',
  reason: 'why',
  since: '',
  until: null,
  ms_left,
  actor: 'ops',
  by: 'person',
});

let directory: string;
let clock: ManualClock;
let quarantine: Quarantine;
let answers: (readonly QuarantineLine[] | Promise<readonly QuarantineLine[]> | Error)[];
let changes: number;

beforeEach(() => {
  directory = temporaryDirectory('quarantine');
  clock = manualClock();
  quarantine = createQuarantine(clock);
  answers = [];
  changes = 0;
});

const open = () =>
  createQuarantineExchange({
    // the last answer is given again and again
    control: {
      async quarantine() {
        const answer = (answers.length > 1 ? answers.shift() : answers[0]) ?? new Error('away');
        if (answer instanceof Error) throw answer;
        return answer;
      },
    } as unknown as ControlPlane,
    quarantine,
    file: openQuarantineFile(directory, clock),
    changed: () => {
      changes += 1;
    },
    clock,
    log: silentLog,
  });
const held = () => ['a', 'b'].filter((name) => quarantine.of({ agent: { name } } as never) !== undefined);
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('a sidecar', () => {
  test('knows before its first call what the collector knows, and keeps it', async () => {
    answers = [[line('agent/a')]];
    await open().asked;
    expect([held(), changes]).toEqual([['a'], 1]);
    quarantine.learn([]);
    answers = [];
    open();
    expect(held()).toEqual(['a']);
    expect(readdirSync(directory)).toEqual(['quarantine.json']);
  });

  test('does not wait long for a collector that is away', async () => {
    answers = [];
    const { asked } = open();
    clock.advance(300);
    await asked;
    expect(held()).toEqual([]);
  });

  test('asks again until it has what it heard of, and not for what it has', async () => {
    answers = [[], new Error('away'), [line('agent/b')]];
    const exchange = open();
    await exchange.asked;
    exchange.heard(7);
    await settled();
    expect(held()).toEqual([]);
    clock.advance(500);
    await settled();
    expect(held()).toEqual(['b']);
    answers = [[line('agent/a')]];
    exchange.heard(7);
    await settled();
    expect(held()).toEqual(['b']);
    exchange.heard(8);
    await settled();
    expect(held()).toEqual(['a']);
  });

  test('takes no answer that is older than the one it has', async () => {
    const slow = Promise.withResolvers<readonly QuarantineLine[]>();
    answers = [slow.promise, [line('agent/b')]];
    const exchange = open();
    exchange.heard(7);
    await settled();
    slow.resolve([]);
    await exchange.asked;
    await settled();
    expect(held()).toEqual(['b']);
    answers = [];
    open();
    expect(held()).toEqual(['b']);
  });

  test('that was down for a while holds what is left, and no more where its clock was set back', async () => {
    answers = [[line('agent/a', HOUR_MS), line('agent/b', 2 * HOUR_MS)]];
    await open().asked;
    answers = [];
    const startedAgain = (laterMs: number) => {
      clock = manualClock(Date.UTC(2026, 0, 5) + laterMs);
      quarantine = createQuarantine(clock);
      open();
    };
    startedAgain(HOUR_MS);
    expect(held()).toEqual(['b']);
    clock.advance(HOUR_MS);
    expect(held()).toEqual([]);
    startedAgain(-24 * HOUR_MS);
    expect(held()).toEqual(['a', 'b']);
    clock.advance(HOUR_MS);
    expect(held()).toEqual(['b']);
  });

  test.each(['', '{', '{"kept_at_ms":1}', 'null'])('does not start over a file that says %j', (text) => {
    writeFileSync(join(directory, 'quarantine.json'), text);
    expect(open).toThrow('does not say who is in quarantine');
  });

  test('hears nothing from a collector that knows no quarantine', async () => {
    answers = [[]];
    const exchange = open();
    await exchange.asked;
    answers = [[line('agent/a')]];
    exchange.heard(undefined);
    await settled();
    expect(held()).toEqual([]);
  });
});
