// Processes that kill themselves at named steps, one life after the other on one directory, and one at the end that does not.

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { digestOf, readRecords } from '../../../collector/queue/record.ts';
import { requestOf, spanIdOf } from '../receive/otlp-messages.ts';

export const STEPS = [
  'create segments',
  'append segments',
  'datasync segments',
  'syncDirectory segments',
  'rename segments',
  'remove segments',
  'create manifest',
  'append manifest',
  'datasync manifest',
  'rename manifest',
  'load',
] as const;
export interface Death {
  readonly step: (typeof STEPS)[number];
  /** At which of them. */
  readonly times: number;
  readonly when: 'before' | 'after';
}

const REQUESTS_PER_LIFE = 6;
const SCRIPT = fileURLToPath(new URL('dying-process.ts', import.meta.url));

const live = (directory: string, { step, times, when }: Death, from: number, count: number) =>
  spawnSync(process.execPath, [SCRIPT, directory, step, String(times), when, String(from), String(count)], {
    encoding: 'utf8',
  });

/** Answers how many of the lives ended as they were told to. */
export function dieAgainAndAgain(directory: string, deaths: readonly Death[]): number {
  const acknowledged = new Set<number>();
  let killed = 0;
  for (const [life, death] of deaths.entries()) {
    const { signal, status, stdout, stderr } = live(
      directory,
      death,
      life * REQUESTS_PER_LIFE,
      REQUESTS_PER_LIFE,
    );
    expect(signal === 'SIGKILL' || status === 0, stderr).toBe(true);
    if (signal === 'SIGKILL') killed += 1;
    for (const line of stdout.split('\n').filter(Boolean)) acknowledged.add(Number(line));
  }
  const last = live(directory, { step: 'load', times: Number.MAX_SAFE_INTEGER, when: 'before' }, 0, 0);
  expect(last.status, last.stderr).toBe(0);
  const stored = landedIn(join(directory, 'landed'));
  const missing = [...acknowledged].filter((number) => !stored.includes(digestOfRequest(number)));
  expect(missing, 'acknowledged and gone').toEqual([]);
  expect(stored.length, 'stored twice').toBe(new Set(stored).size);
  expect(readdirSync(join(directory, 'queue/segments'))).toEqual([]);
  expect(readdirSync(join(directory, 'queue/quarantine'))).toEqual([]);
  return killed;
}

const digestOfRequest = (number: number): string =>
  digestOf(requestOf([{ spanId: spanIdOf(number), name: `span ${number}` }])).toString('hex');

const landedIn = (folder: string): string[] =>
  readdirSync(folder).flatMap((name) =>
    readRecords(readFileSync(join(folder, name))).whole.map(({ digest }) => digest.toString('hex')),
  );
