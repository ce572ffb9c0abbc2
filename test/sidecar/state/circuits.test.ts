import { describe, expect, it } from 'vitest';
import type { Breakers } from '../../../contract/config/config.ts';
import { Refusal } from '../../../contract/refusals.ts';
import { HEALTHY_MS, type Outcome, TRIAL_MS_MAX } from '../../../sidecar/state/circuit.ts';
import { type Circuits, createCircuits } from '../../../sidecar/state/circuits.ts';
import { manualClock } from '../../support/manual-clock.ts';

const RULES: Breakers = {
  windowMs: 600_000,
  failureRate: 0.5,
  callsMin: 20,
  cooldownMs: 30_000,
  cooldownMsMax: 600_000,
  trials: 3,
  slow: null,
};
const KEY = ['openai/gpt-5-mini'];

function setUp(rules: Partial<Breakers> = {}, random = 0.5) {
  const clock = manualClock();
  const changes: string[] = [];
  const circuits = createCircuits({
    rules: () => ({ ...RULES, ...rules }),
    clock,
    random: () => random,
    changed: (key, state) => changes.push(`${key} ${state}`),
  });
  return { clock, circuits, changes };
}

function calls(circuits: Circuits, count: number, outcome: Outcome, key = KEY): void {
  for (let i = 0; i < count; i++) circuits.admit(key).report(outcome);
}

function refusalOf(circuits: Circuits, key = KEY): Refusal | null {
  try {
    circuits.admit(key);
    return null;
  } catch (failure) {
    if (failure instanceof Refusal) return failure;
    throw failure;
  }
}

const waitSeconds = (circuits: Circuits): number => circuits.stopping(KEY)!.waitMs / 1000;

describe('a circuit', () => {
  it('CB-01: stays closed below the least number of calls', () => {
    const { circuits } = setUp();
    calls(circuits, 19, 'failure');
    expect(circuits.stopping(KEY)).toBeNull();
  });

  it('CB-02: opens when half of twenty calls fail, and says when to come back', () => {
    const { circuits, changes } = setUp();
    calls(circuits, 10, 'success');
    calls(circuits, 9, 'failure');
    expect(circuits.stopping(KEY)).toBeNull();
    calls(circuits, 1, 'failure');
    const refusal = refusalOf(circuits);
    expect(refusal?.code).toBe('circuit_open');
    expect(refusal?.detail.retryAfterSeconds).toBe(30);
    expect(changes).toEqual(['openai/gpt-5-mini open']);
  });

  it('CB-03: forgets failures at the edge of their tenth of the window, not before and not later', () => {
    const { circuits, clock } = setUp();
    calls(circuits, 19, 'failure');
    clock.advance(RULES.windowMs - 1);
    expect(circuits.stopping(KEY)).toBeNull();
    calls(circuits, 1, 'failure');
    expect(circuits.stopping(KEY)).not.toBeNull();
    const later = setUp();
    calls(later.circuits, 19, 'failure');
    later.clock.advance(RULES.windowMs);
    calls(later.circuits, 1, 'failure');
    expect(later.circuits.stopping(KEY)).toBeNull();
  });

  it('CB-04: lets exactly the trials through after the cooldown, however many ask', () => {
    const { circuits, clock } = setUp({ trials: 10 });
    calls(circuits, 20, 'failure');
    clock.advance(RULES.cooldownMs);
    const refused = Array.from({ length: 50 }, () => refusalOf(circuits)).filter((refusal) => refusal);
    expect(refused).toHaveLength(40);
  });

  it('CB-05: a trial that never ends gives its place to another', () => {
    const { circuits, clock } = setUp();
    calls(circuits, 20, 'failure');
    clock.advance(RULES.cooldownMs);
    const hanging = Array.from({ length: RULES.trials }, () => circuits.admit(KEY));
    clock.advance(TRIAL_MS_MAX - 1);
    expect(refusalOf(circuits)?.code).toBe('circuit_open');
    clock.advance(1);
    expect(circuits.stopping(KEY)).toBeNull();
    for (const late of hanging) late.report('failure');
    calls(circuits, RULES.trials, 'success');
    expect(circuits.stopping(KEY)).toBeNull();
  });

  it('CB-06: a trial whose caller hung up counts for nothing, and its place is free again', () => {
    const { circuits, clock } = setUp();
    calls(circuits, 20, 'failure');
    clock.advance(RULES.cooldownMs);
    calls(circuits, 10, 'ignored');
    calls(circuits, 10, 'throttled');
    calls(circuits, RULES.trials, 'success');
    calls(circuits, 10, 'failure');
    expect(circuits.stopping(KEY)).toBeNull();
  });

  it.each([
    [6, 4, false],
    [5, 5, true],
  ])('CB-07: %d good and %d failed trials of 10: open again is %s', (good, failed, open) => {
    const { circuits, clock } = setUp({ trials: 10 });
    calls(circuits, 20, 'failure');
    clock.advance(RULES.cooldownMs);
    const trials = Array.from({ length: 10 }, () => circuits.admit(KEY));
    for (const [index, trial] of trials.entries()) trial.report(index < failed ? 'failure' : 'success');
    expect(good + failed).toBe(10);
    expect(circuits.stopping(KEY) !== null).toBe(open);
  });

  it('CB-08: opens again with twice the cooldown when the trials fail, up to the most', () => {
    const { circuits, clock } = setUp();
    calls(circuits, 20, 'failure');
    for (const seconds of [60, 120, 240, 480, 600, 600]) {
      clock.advance(circuits.stopping(KEY)!.waitMs);
      calls(circuits, 2, 'failure');
      expect(waitSeconds(circuits)).toBe(seconds);
    }
  });

  it.each([
    [0, 24],
    [1, 36],
  ])('CB-08: chance %d makes the cooldown of 30 s one of %d s', (random, seconds) => {
    const { circuits } = setUp({}, random);
    calls(circuits, 20, 'failure');
    expect(waitSeconds(circuits)).toBeCloseTo(seconds);
  });

  it.each([
    [HEALTHY_MS - 1, 60],
    [HEALTHY_MS, 30],
  ])('CB-08: %d ms after it closed it opens for %d s', (healthyMs, seconds) => {
    const { circuits, clock } = setUp();
    calls(circuits, 20, 'failure');
    clock.advance(RULES.cooldownMs);
    calls(circuits, RULES.trials, 'success');
    clock.advance(healthyMs);
    calls(circuits, 20, 'failure');
    expect(waitSeconds(circuits)).toBe(seconds);
  });

  it('CB-09: ignores the result of a call that began in an earlier state', () => {
    const { circuits, clock } = setUp();
    const slow = circuits.admit(KEY);
    const slower = circuits.admit(KEY);
    calls(circuits, 20, 'failure');
    clock.advance(RULES.cooldownMs);
    expect(circuits.stopping(KEY)).toBeNull();
    slow.report('failure');
    slower.report('failure');
    calls(circuits, RULES.trials, 'success');
    expect(circuits.stopping(KEY)).toBeNull();
  });

  it('CB-10, CB-11: never opens for a caller’s own mistakes, hang-ups and throttling', () => {
    const { circuits } = setUp();
    calls(circuits, 1000, 'ignored');
    calls(circuits, 1000, 'throttled');
    expect(circuits.stopping(KEY)).toBeNull();
  });

  it('CB-18: opens for slow streams where they are enough, and not where no rule says so', () => {
    const strict = setUp({ slow: { firstTokenMs: 30_000, rate: 0.8 } });
    calls(strict.circuits, 4, 'success');
    calls(strict.circuits, 15, 'slow');
    expect(strict.circuits.stopping(KEY)).toBeNull();
    calls(strict.circuits, 1, 'slow');
    expect(strict.circuits.stopping(KEY)).not.toBeNull();
    const without = setUp();
    calls(without.circuits, 100, 'slow');
    expect(without.circuits.stopping(KEY)).toBeNull();
  });

  it('CB-19: leaves other models of the same upstream alone', () => {
    const { circuits } = setUp();
    const agent = 'agent scout to openai';
    calls(circuits, 20, 'failure', ['openai/gpt-5']);
    expect(refusalOf(circuits, [agent, 'openai/gpt-5'])?.message).toContain('openai/gpt-5 keeps failing');
    expect(refusalOf(circuits, [agent, 'openai/gpt-5-mini'])).toBeNull();
  });

  it('CB-20: one that was open before a restart begins with a single trial', () => {
    const clock = manualClock();
    const restored = (): Circuits =>
      createCircuits({ rules: () => RULES, clock, random: () => 0.5, restored: KEY });
    const healed = restored();
    const trial = healed.admit(KEY);
    expect(refusalOf(healed)?.code).toBe('circuit_open');
    trial.report('success');
    expect(refusalOf(healed)).toBeNull();
    const failing = restored();
    failing.admit(KEY).report('failure');
    expect(waitSeconds(failing)).toBe(60);
  });

  it('begins to count anew when the window changes under it', () => {
    let rules = RULES;
    const clock = manualClock();
    const circuits = createCircuits({ rules: () => rules, clock, random: () => 0.5 });
    clock.advance(86_400_000);
    calls(circuits, 19, 'failure');
    rules = { ...RULES, windowMs: 1_200_000 };
    calls(circuits, 19, 'failure');
    expect(circuits.stopping(KEY)).toBeNull();
    calls(circuits, 1, 'failure');
    expect(circuits.stopping(KEY)).not.toBeNull();
  });

  it('says of what was open whether it still is', () => {
    const { circuits, clock, changes } = setUp();
    calls(circuits, 5, 'success', ['files/read']);
    calls(circuits, 20, 'failure');
    expect([...circuits.states()]).toEqual([['openai/gpt-5-mini', 'open']]);
    clock.advance(RULES.cooldownMs);
    calls(circuits, RULES.trials, 'success');
    expect([...circuits.states()]).toEqual([['openai/gpt-5-mini', 'closed']]);
    expect(changes).toEqual(['openai/gpt-5-mini open', 'openai/gpt-5-mini closed']);
  });
});
