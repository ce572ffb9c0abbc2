// Circuits keep calls away from what is failing: one per (agent, upstream) and one per (upstream, model or tool).
//
//   closed ── ≥ rate of ≥ min calls in the window fail ──> open ── cooldown over ──> trials
//      ^                                                     ^                          │
//      └──────────── trials end, failures below rate ────────┼──────────────────────────┤
//                                  cooldown doubled ─────────┘── failures at the rate ──┘
//
// A caller's own 4xx is no failure; a 429 throttles but does not open. A result of an earlier state is ignored.

import type { Breakers } from '../../contract/config/config.ts';
import { Refusal } from '../../contract/refusals.ts';
import type { Clock } from '../../kit/clock.ts';

/**
 * What the end of a call says of whoever it was sent to. `ignored`: a caller's own mistake, a hang-up, a refusal of ours.
 * `slow`: an answer, but its first token was late.
 */
export type Outcome = 'success' | 'slow' | 'failure' | 'throttled' | 'ignored';

/** Leave to send one call; told how it ended, once. */
export interface Permit {
  report(outcome: Outcome): void;
}

export interface Circuits {
  /** Throws Refusal `circuit_open` when one of the keys' circuits is open. */
  admit(keys: readonly string[]): Permit;
  /** Whether `admit` would let a call through now; changes nothing. */
  open(keys: readonly string[]): boolean;
  states(): ReadonlyMap<string, string>;
}

const BUCKETS = 10;
const CIRCUITS_MAX = 10_000;
/** A trial call that never ends gives its place back after this many cooldowns. */
const TRIAL_PATIENCE = 4;

interface Circuit {
  state: 'closed' | 'open' | 'trials';
  /** Grows with every change of state: a permit of an older epoch counts for nothing. */
  epoch: number;
  readonly calls: number[];
  readonly failures: number[];
  bucket: number;
  cooldownMs: number;
  until: number;
  trialsLeft: number;
  trialsEnded: number;
  trialFailures: number;
}

/** `rules` are read at each use: they may change while calls run. */
export function createCircuits(rules: () => Breakers, clock: Clock): Circuits {
  const circuits = new Map<string, Circuit>();

  const circuitOf = (key: string): Circuit => {
    let circuit = circuits.get(key);
    if (!circuit) {
      if (circuits.size >= CIRCUITS_MAX) circuits.delete(circuits.keys().next().value as string);
      circuit = fresh(rules().cooldownMs);
      circuits.set(key, circuit);
    }
    return circuit;
  };

  const advance = (circuit: Circuit, now: number): void => {
    const bucket = Math.floor(now / (rules().windowMs / BUCKETS));
    const passed = Math.min(bucket - circuit.bucket, BUCKETS);
    for (let i = 1; i <= passed; i++) {
      circuit.calls[(circuit.bucket + i) % BUCKETS] = 0;
      circuit.failures[(circuit.bucket + i) % BUCKETS] = 0;
    }
    if (passed > 0) circuit.bucket = bucket;
    if (circuit.state === 'open' && now >= circuit.until) beginTrials(circuit, now);
    else if (circuit.state === 'trials' && now >= circuit.until) beginTrials(circuit, now);
  };

  const beginTrials = (circuit: Circuit, now: number): void => {
    circuit.state = 'trials';
    circuit.epoch += 1;
    circuit.until = now + circuit.cooldownMs * TRIAL_PATIENCE;
    circuit.trialsLeft = rules().trials;
    circuit.trialsEnded = 0;
    circuit.trialFailures = 0;
  };

  const openUp = (circuit: Circuit, now: number, cooldownMs: number): void => {
    circuit.state = 'open';
    circuit.epoch += 1;
    circuit.cooldownMs = Math.min(cooldownMs, rules().cooldownMsMax);
    circuit.until = now + circuit.cooldownMs;
  };

  const record = (circuit: Circuit, epoch: number, outcome: Outcome): void => {
    const now = clock.monotonicMs();
    advance(circuit, now);
    if (epoch !== circuit.epoch) return;
    if (circuit.state === 'trials') return recordTrial(circuit, now, outcome);
    if (outcome === 'ignored' || outcome === 'throttled') return;
    const slot = circuit.bucket % BUCKETS;
    circuit.calls[slot]! += 1;
    if (outcome === 'failure') circuit.failures[slot]! += 1;
    const calls = sum(circuit.calls);
    if (
      outcome === 'failure' &&
      calls >= rules().callsMin &&
      sum(circuit.failures) >= calls * rules().failureRate
    ) {
      openUp(circuit, now, rules().cooldownMs);
    }
  };

  const recordTrial = (circuit: Circuit, now: number, outcome: Outcome): void => {
    if (outcome === 'ignored' || outcome === 'throttled') {
      circuit.trialsLeft += 1;
      return;
    }
    circuit.trialsEnded += 1;
    if (outcome === 'failure') circuit.trialFailures += 1;
    if (circuit.trialsEnded < rules().trials) return;
    if (circuit.trialFailures >= rules().trials * rules().failureRate)
      openUp(circuit, now, circuit.cooldownMs * 2);
    else Object.assign(circuit, fresh(rules().cooldownMs), { epoch: circuit.epoch + 1 });
  };

  const blocked = (circuit: Circuit, now: number): number | null => {
    advance(circuit, now);
    if (circuit.state === 'open') return circuit.until - now;
    if (circuit.state === 'trials' && circuit.trialsLeft === 0)
      return Math.min(circuit.cooldownMs, circuit.until - now);
    return null;
  };

  return {
    admit(keys) {
      const now = clock.monotonicMs();
      for (const key of keys) {
        const waitMs = blocked(circuitOf(key), now);
        if (waitMs === null) continue;
        throw new Refusal('circuit_open', `${key} keeps failing and is left alone for now.`, {
          retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)),
        });
      }
      const taken = keys.map((key) => {
        const circuit = circuitOf(key);
        if (circuit.state === 'trials') circuit.trialsLeft -= 1;
        return { circuit, epoch: circuit.epoch };
      });
      let reported = false;
      return {
        report(outcome) {
          if (reported) return;
          reported = true;
          for (const { circuit, epoch } of taken) record(circuit, epoch, outcome);
        },
      };
    },
    open: (keys) => keys.some((key) => blocked(circuitOf(key), clock.monotonicMs()) !== null),
    states: () => new Map([...circuits].map(([key, circuit]) => [key, circuit.state])),
  };
}

function fresh(cooldownMs: number): Circuit {
  return {
    state: 'closed',
    epoch: 0,
    calls: new Array<number>(BUCKETS).fill(0),
    failures: new Array<number>(BUCKETS).fill(0),
    bucket: 0,
    cooldownMs,
    until: 0,
    trialsLeft: 0,
    trialsEnded: 0,
    trialFailures: 0,
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);

/** For a call whose circuit is not asked: observe mode lets it through an open one. */
export const UNGUARDED: Permit = { report: () => undefined };
