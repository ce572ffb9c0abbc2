// What a round of alerts costs the store: every question on a hundred thousand calls of forty agents over seven days.
//
//   node bench/alerts.ts

import { parseDefinitions } from '../collector/alerts/definition.ts';
import { readAlertFiles } from '../collector/edges/alert-files.ts';
import { type Call, chain, NOW_MS, openWorld } from '../test/collector/alerts/world.ts';

const CALLS = 100_000;
const AGENTS = 40;
const WEEK_MINUTES = 7 * 24 * 60;
const ROUNDS = 5;
const TOGETHER = 10_000;

const world = await openWorld();
try {
  await fill();
  const { alerts } = parseDefinitions(readAlertFiles());
  let total = 0;
  for (const { id, sql, window, history, every } of alerts) {
    if (sql === undefined) continue;
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const start = performance.now();
      await world.store.query(sql, {
        now: NOW_MS,
        since: NOW_MS - window,
        history: NOW_MS - history,
        idle: 900_000,
        day: 86_400_000,
        margin: 86_400_000,
        pace: 1,
        timezone: 'UTC',
      });
      times.push(performance.now() - start);
    }
    const median = times.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)]!;
    total += median;
    process.stdout.write(
      `${id.padEnd(24)}${median.toFixed(1).padStart(8)} ms${every > 0 ? '  (once a minute)' : ''}\n`,
    );
  }
  process.stdout.write(`${'all of them'.padEnd(24)}${total.toFixed(1).padStart(8)} ms\n`);
} finally {
  await world.close();
}

/** A tenth of the calls in chains within the last hours, the rest spread over the week. */
async function fill(): Promise<void> {
  const sealed = Array.from({ length: AGENTS }, (_, i) =>
    chain(`agent-${i}`, CALLS / 10 / AGENTS, { startAgo: 100 }),
  ).flat();
  const spread = Array.from({ length: (CALLS * 9) / 10 }, (_, i): Call => {
    const status = i % 50 === 0 ? 'failure' : 'success';
    return {
      agent: `agent-${i % AGENTS}`,
      ago: (i / CALLS) * WEEK_MINUTES,
      task: `task-${Math.floor(i / 200)}`,
      status,
      credential: `credential-${i % 5}`,
      tokens: 1_000,
      dollars: 0.01,
    };
  });
  const all = [...sealed, ...spread];
  for (let at = 0; at < all.length; at += TOGETHER) await world.calls(all.slice(at, at + TOGETHER));
}
