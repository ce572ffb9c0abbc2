// What a sidecar says of a call that is only described: the rule, and what would stop it just now.

import { expect, it } from 'vitest';
import { parseConfig } from '../../contract/config/parse.ts';
import { explain } from '../../sidecar/explain.ts';
import { agentKey, limitedOf, targetKey } from '../../sidecar/guarded.ts';
import { agentAlone } from '../../sidecar/state/agents.ts';
import { createCircuits } from '../../sidecar/state/circuits.ts';
import { createRates } from '../../sidecar/state/rates.ts';
import { createThrottles } from '../../sidecar/state/throttles.ts';
import { manualClock } from '../support/manual-clock.ts';

const YAML = `fleet: f
budgets: none
upstreams: { openai: { url: https://api.openai.example, speaks: openai }, files: { url: https://t.example/mcp, speaks: mcp } }
roles: { r: { allow: [llm openai/*, mcp files/*] } }
agents: { scout: { role: r } }
`;

const { config } = await parseConfig([{ file: 'c.yaml', text: YAML }]);

function setUp() {
  const clock = manualClock();
  const random = (): number => 0.5;
  const circuits = createCircuits({ rules: () => config.breakers, clock, random });
  const throttles = createThrottles({ clock, random: () => 0 });
  const admission = { circuits, throttles, rates: createRates(clock) };
  return { ...admission, ask: (rule: string) => explain(config, 'scout', rule, clock, admission) };
}

it('names the circuit that is open, and no other call’s', () => {
  const { circuits, ask } = setUp();
  expect(ask('llm openai/m')).toEqual({
    verdict: 'allow',
    rule: 'llm openai/*',
    target: 'openai/m',
    stopped_by: null,
  });
  const permits = Array.from({ length: 20 }, () => circuits.admit([targetKey('openai', 'm')]));
  for (const permit of permits) permit.report('failure');
  const stopped = { reason: 'circuit_open', what: 'openai/m', retry_after_seconds: 30 };
  expect(ask('llm openai/m').stopped_by).toEqual(stopped);
  expect(ask('llm openai/other').stopped_by).toBeNull();
});

it('names the agent’s own circuit where that is open', () => {
  const { circuits, ask } = setUp();
  const permits = Array.from({ length: 20 }, () => circuits.admit([agentKey('scout', 'files')]));
  for (const permit of permits) permit.report('failure');
  expect(ask('mcp files/read').stopped_by?.what).toBe('agent scout to files');
});

it('names who asked to be left alone, and whose quota is spent', () => {
  const { throttles, ask } = setUp();
  const limited = limitedOf({
    agent: agentAlone(config, 'scout', ''),
    upstream: config.upstreams.get('openai')!,
    description: { model: 'm' },
    policy: config,
  });
  throttles.heard(limited, { waitMs: 7_000, spent: false });
  const stopped = { reason: 'upstream_throttled', what: 'openai/m', retry_after_seconds: 7 };
  expect(ask('llm openai/m').stopped_by).toEqual(stopped);
  expect(ask('llm openai/other').stopped_by).toBeNull();
  throttles.heard(limited, { waitMs: null, spent: true });
  expect(ask('llm openai/other').stopped_by).toMatchObject({ reason: 'provider_quota', what: 'openai' });
});
