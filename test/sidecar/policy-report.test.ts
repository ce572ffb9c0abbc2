// Which policy the agents here run, as the collector is told: every agent's, the text once.

import { expect, test } from 'vitest';
import type { Config } from '../../contract/config/config.ts';
import type { PolicyReport } from '../../contract/policy.ts';
import { silentLog } from '../../kit/log.ts';
import type { ControlPlane } from '../../sidecar/edges/control-plane.ts';
import { createPolicyReports } from '../../sidecar/policy-report.ts';
import { manualClock } from '../support/manual-clock.ts';

const configOf = (digest: string) =>
  ({ digest, sources: [{ file: 'outrider.yaml', text: `fleet: ${digest}` }] }) as unknown as Config;
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('the text goes with the first agent that the collector heard of, again for another policy', async () => {
  const told: PolicyReport[] = [];
  let away = true;
  let config = configOf('one');
  const clock = manualClock();
  const startedMs = clock.nowMs();
  const reports = createPolicyReports({
    control: {
      async reportPolicy(report: PolicyReport) {
        if (away) throw new Error('away');
        told.push(report);
      },
    } as unknown as ControlPlane,
    config: () => config,
    by: 'ana@host',
    clock,
    log: silentLog,
  });
  const tellAll = async () => {
    for (const agent of ['a', 'b', 'c']) reports.tell(agent, 'host');
    await settled();
  };
  await tellAll();
  expect(told).toEqual([]);
  away = false;
  await tellAll();
  await tellAll();
  clock.advance(5_000);
  config = configOf('two');
  await tellAll();
  const texts = told.map(({ agent, digest, sources, loaded_at }) => [
    agent,
    digest,
    sources.map(({ text }) => text).join(),
    loaded_at - startedMs,
  ]);
  expect(texts).toEqual([
    ['a', 'one', 'fleet: one', 0],
    ['b', 'one', '', 0],
    ['c', 'one', '', 0],
    ['a', 'two', 'fleet: two', 5_000],
    ['b', 'two', '', 5_000],
    ['c', 'two', '', 5_000],
  ]);
});
