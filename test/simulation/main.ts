// `npm run simulate -- SEED [--count N]`: plays a seed and prints its history, or N seeds from there on and prints what
// they came to. The same seed is the same history, on every machine.

import { parseArgs } from 'node:util';
import { openControlDatabase } from './control-database.ts';
import { simulate } from './simulate.ts';
import { emptyTally, tell } from './tally.ts';

const USAGE =
  'Usage: npm run simulate -- SEED [--count N]     for example: npm run simulate -- 42 --count 300\n';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { count: { type: 'string', default: '1' }, help: { type: 'boolean', default: false } },
});
const seed = Number(positionals[0]);
const count = Number(values.count);
if (values.help || !Number.isSafeInteger(seed) || !Number.isSafeInteger(count) || count < 1) {
  process.stderr.write(USAGE);
  process.exit(values.help ? 0 : 2);
}

const control = await openControlDatabase();
const tally = emptyTally();
const startedMs = performance.now();
const before = process.cpuUsage();
let failed = 0;
for (let each = seed; each < seed + count; each++) {
  const outcome = await simulate(each, control);
  tally.add(outcome);
  if (count === 1) for (const line of outcome.history) process.stdout.write(`${line}\n`);
  if (outcome.findings.length === 0) continue;
  failed += 1;
  process.stdout.write(tell(outcome, count === 1 ? 0 : undefined));
}
const { user, system } = process.cpuUsage(before);
process.stdout.write(tally.text((performance.now() - startedMs) / 1000, (user + system) / 1e6));
process.exit(failed > 0 ? 1 : 0);
