import { describe, expect, it } from 'vitest';
import type { Breakers } from '../../../contract/config/config.ts';
import { Refusal } from '../../../contract/refusals.ts';
import { type Circuits, createCircuits, type Outcome } from '../../../sidecar/state/circuits.ts';
import { manualClock } from '../../support/manual-clock.ts';

const RULES: Breakers = {
  windowMs: 600_000,
  failureRate: 0.5,
  callsMin: 20,
  cooldownMs: 30_000,
  cooldownMsMax: 600_000,
  trials: 3,
};
const KEY = ['openai/gpt-5-mini'];

function setUp() {
  const clock = manualClock();
  return { clock, circuits: createCircuits(() => RULES, clock) };
}

function calls(circuits: Circuits, count: number, outcome: Outcome): void {
  for (let i = 0; i < count; i++) circuits.admit(KEY).report(outcome);
}

function refusalOf(circuits: Circuits): Refusal | null {
  try {
    circuits.admit(KEY);
    return null;
  } catch (failure) {
    if (failure instanceof Refusal) return failure;
    throw failure;
  }
}

describe('a circuit', () => {
  it('stays closed below the least number of calls', () => {
    const { circuits } = setUp();
    calls(circuits, 19, 'failure');
    expect(refusalOf(circuits)).toBeNull();
  });

  it('opens when half of twenty calls fail, and says when to come back', () => {
    const { circuits } = setUp();
    calls(circuits, 10, 'success');
    calls(circuits, 10, 'failure');
    const refusal = refusalOf(circuits);
    expect(refusal?.code).toBe('circuit_open');
    expect(refusal?.detail.retryAfterSeconds).toBe(30);
  });

  it('never opens for what is ignored: a caller’s own mistakes, throttling, hang-ups', () => {
    const { circuits } = setUp();
    calls(circuits, 1000, 'ignored');
    expect(refusalOf(circuits)).toBeNull();
  });

  it('forgets failures that have left the window', () => {
    const { circuits, clock } = setUp();
    calls(circuits, 19, 'failure');
    clock.advance(RULES.windowMs + RULES.windowMs / 10);
    calls(circuits, 1, 'failure');
    expect(refusalOf(circuits)).toBeNull();
  });

  it('lets exactly the trials through after the cooldown, however many ask', () => {
    const { circuits, clock } = setUp();
    calls(circuits, 20, 'failure');
    clock.advance(RULES.cooldownMs);
    const passed = Array.from({ length: 50 }, () => refusalOf(circuits)).filter(
      (refusal) => refusal === null,
    );
    expect(passed).toHaveLength(RULES.trials);
  });

  it('closes when the trials succeed', () => {
    const { circuits, clock } = setUp();
    calls(circuits, 20, 'failure');
    clock.advance(RULES.cooldownMs);
    calls(circuits, RULES.trials, 'success');
    calls(circuits, 10, 'failure');
    expect(refusalOf(circuits)).toBeNull();
  });

  it('opens again with twice the cooldown when the trials fail, up to the most', () => {
    const { circuits, clock } = setUp();
    calls(circuits, 20, 'failure');
    for (const seconds of [60, 120, 240, 480, 600, 600]) {
      clock.advance(refusalOf(circuits)!.detail.retryAfterSeconds! * 1000);
      calls(circuits, RULES.trials, 'failure');
      expect(refusalOf(circuits)?.detail.retryAfterSeconds).toBe(seconds);
    }
  });

  it('ignores the result of a call that began in an earlier state', () => {
    const { circuits, clock } = setUp();
    const slow = circuits.admit(KEY);
    calls(circuits, 20, 'failure');
    clock.advance(RULES.cooldownMs);
    circuits.open(KEY);
    slow.report('failure');
    slow.report('failure');
    calls(circuits, RULES.trials, 'success');
    expect(refusalOf(circuits)).toBeNull();
  });

  it('gives a trial’s place back when its caller hung up, and when it never ends', () => {
    const { circuits, clock } = setUp();
    calls(circuits, 20, 'failure');
    clock.advance(RULES.cooldownMs);
    for (let i = 0; i < 10; i++) circuits.admit(KEY).report('ignored');
    for (let i = 0; i < RULES.trials; i++) circuits.admit(KEY);
    expect(refusalOf(circuits)?.code).toBe('circuit_open');
    clock.advance(RULES.cooldownMs * 4);
    expect(refusalOf(circuits)).toBeNull();
  });

  it('leaves other models of the same upstream alone', () => {
    const { circuits } = setUp();
    calls(circuits, 20, 'failure');
    expect(() => circuits.admit(['openai/gpt-5'])).not.toThrow();
  });
});
