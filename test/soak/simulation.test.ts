// Many seeds: `FROM=1 COUNT=1000000 npm run soak test/soak/simulation.test.ts`, in slices on as many machines as there
// are. What they came to is printed; docs/simulation.md keeps the figures.

import { expect, test } from 'vitest';
import { openControlDatabase } from '../simulation/control-database.ts';
import { simulate } from '../simulation/simulate.ts';
import { emptyTally, tell } from '../simulation/tally.ts';

const FROM = Number(process.env.FROM ?? 1);
const COUNT = Number(process.env.COUNT ?? 1_000_000);

test(`seeds ${FROM} to ${FROM + COUNT - 1}`, async () => {
  const control = await openControlDatabase();
  const tally = emptyTally();
  const startedMs = performance.now();
  const failures: string[] = [];
  for (let seed = FROM; seed < FROM + COUNT && failures.length < 10; seed++) {
    const outcome = await simulate(seed, control);
    tally.add(outcome);
    if (outcome.findings.length > 0) failures.push(tell(outcome));
  }
  await control.close();
  console.log(tally.text((performance.now() - startedMs) / 1000, process.cpuUsage().user / 1e6));
  expect(failures.join('\n')).toBe('');
});
