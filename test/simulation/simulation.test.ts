// A share of the seeds, in every run. A failure prints the seed and what happened last.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ControlDatabase, openControlDatabase } from './control-database.ts';
import { simulate } from './simulate.ts';
import { tell } from './tally.ts';

const FROM = Number(process.env.SIMULATE_FROM ?? 1);
const COUNT = Number(process.env.SIMULATE_COUNT ?? 200);

let control: ControlDatabase;
beforeAll(async () => {
  control = await openControlDatabase();
});
afterAll(() => control.close());

test(`of ${COUNT} seeds none overspends, loses a record, leaks a hold or refuses without reason`, async () => {
  const failures: string[] = [];
  for (let seed = FROM; seed < FROM + COUNT && failures.length < 3; seed++) {
    const outcome = await simulate(seed, control);
    if (outcome.findings.length > 0) failures.push(tell(outcome));
  }
  expect(failures.join('\n')).toBe('');
}, 600_000);

test('the same seed is the same history, whatever was played before it', async () => {
  const once = await simulate(FROM, control);
  const other = await simulate(FROM + 1, control);
  const again = await simulate(FROM, control);
  expect(again.history).toEqual(once.history);
  expect(other.history).not.toEqual(once.history);
});
