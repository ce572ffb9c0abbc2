// Forty sidecars, and no collector for an hour: who has a slice and an offline slice goes on, also with tasks that begin
// meanwhile, and nobody overspends.

import { expect, test } from 'vitest';
import type { Config } from '../../contract/config/config.ts';
import { openControlDatabase } from './control-database.ts';
import type { Scenario } from './scenario.ts';
import { simulate } from './simulate.ts';

const SIDECARS = 40;
const CALLS_EACH = 8;
const MINUTE_MS = 60_000;
const LIMIT = 4_000_000n;
const OFFLINE = 20_000n;

test('40 sidecars, the collector down for an hour: no refusal within the leases and offline, no overspend after', async () => {
  const control = await openControlDatabase();
  const { findings, calls } = await simulate(1, control, { scenario: outage });
  await control.close();
  expect(findings).toEqual([]);
  expect(calls).toEqual({ ended: SIDECARS * CALLS_EACH, refused: 1 }); // the probe, which is not sent
}, 300_000);

/** After the first quarter of an hour the slices are even. Calls fit the slices there are, a lease lives six minutes. */
function outage({ configs, sidecars }: Scenario): Scenario {
  const { agent } = sidecars[0]!;
  return {
    startMs: Date.UTC(2026, 2, 10, 9),
    lengthMs: 90 * MINUTE_MS,
    strict: false,
    segmentBytesMax: 1 << 20,
    collectors: 1,
    sidecars: Array.from({ length: SIDECARS }, (_, i) => ({
      name: `sidecar-${i}`,
      agent,
      instance: `host-${i}`,
      collector: 0,
    })),
    configs: [configOf(configs[0]!)],
    calls: Array.from({ length: SIDECARS * CALLS_EACH }, (_, i) => {
      const round = Math.floor(i / SIDECARS);
      const amounts = { nanodollars: 2_000n, tokens: 1n };
      return {
        atMs: round === 0 ? 1_000 + i * 100 : (10 + round * 8) * MINUTE_MS + i * 10,
        sidecar: i % SIDECARS,
        plan: {
          id: `call-${i}`,
          task: `task-${round % 2 === 0 ? 0 : round}-${i % SIDECARS}`,
          amounts,
          cost: { nanodollars: 1_500n, tokens: 1n },
          durationMs: 2_000,
          ending: 'answered' as const,
        },
      };
    }),
    faults: [{ kind: 'collector_down', atMs: 16 * MINUTE_MS, lastsMs: 60 * MINUTE_MS, which: 0, byMs: 0 }],
  };
}

const configOf = (config: Config): Config => ({
  ...config,
  budgets: [{ unit: 'nanodollars', limit: LIMIT, window: 'month' }],
  departments: new Map([...config.departments.keys()].map((name) => [name, { budgets: [] }])),
  agents: new Map(
    [...config.agents].map(([name, agent]) => [name, { ...agent, budgets: [], taskBudgets: [] }]),
  ),
  money: { ...config.money, leaseMs: 6 * MINUTE_MS, offlineNanodollars: OFFLINE },
});
