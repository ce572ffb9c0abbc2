// One circuit: what it remembers, and how the end of a call or the passing of time changes it. Pure: time and chance are
// handed in.
//
//   closed ── ≥ rate of ≥ min calls in the window fail ──> open ── cooldown over ──> trials
//      ^                                                     ^                          │
//      └──────────── trials end, failures below rate ────────┼──────────────────────────┤
//                                  cooldown doubled ─────────┘── failures at the rate ──┘

import type { Breakers } from '../../contract/config/config.ts';

/**
 * What the end of a call says of whoever it was sent to. `ignored`: a caller's own mistake, a hang-up, a refusal of ours.
 * `slow`: an answer, but its first token was late.
 */
export type Outcome = 'success' | 'slow' | 'failure' | 'throttled' | 'ignored';

export const CIRCUIT_STATES = ['closed', 'trials', 'open'] as const;
export type CircuitState = (typeof CIRCUIT_STATES)[number];

export interface Circuit {
  state: CircuitState;
  /** Grows with every change of state: a call that began in an older one counts for nothing. */
  epoch: number;
  readonly calls: number[];
  readonly failures: number[];
  readonly slow: number[];
  bucket: number;
  bucketMs: number;
  /** Of the last opening, before chance had its say; 0 when there was none within a healthy hour. */
  cooldownMs: number;
  /** While open: when the trials begin. On trial: when those that have not ended give their places back. */
  until: number;
  closedAt: number;
  trials: number;
  trialsLeft: number;
  trialsEnded: number;
  trialFailures: number;
}

const BUCKETS = 10;
/** A trial that has not ended by then gives its place to another. */
export const TRIAL_MS_MAX = 120_000;
/** Whoever stays closed for so long starts with the first cooldown again. */
export const HEALTHY_MS = 3_600_000;
/** Cooldowns differ by so much either way: sidecars that opened together do not come back together. */
const JITTER = 0.2;

export function closedCircuit(): Circuit {
  return {
    state: 'closed',
    epoch: 0,
    calls: new Array<number>(BUCKETS).fill(0),
    failures: new Array<number>(BUCKETS).fill(0),
    slow: new Array<number>(BUCKETS).fill(0),
    bucket: 0,
    bucketMs: 0,
    cooldownMs: 0,
    until: 0,
    closedAt: 0,
    trials: 0,
    trialsLeft: 0,
    trialsEnded: 0,
    trialFailures: 0,
  };
}

/** Open when its process stopped: one call may try, whatever happened since. */
export function restoredCircuit(rules: Breakers, now: number): Circuit {
  const circuit = { ...closedCircuit(), cooldownMs: rules.cooldownMs };
  beginTrials(circuit, now, 1);
  return circuit;
}

/** What time alone changes. */
export function advance(circuit: Circuit, rules: Breakers, now: number): void {
  if (circuit.state === 'closed') age(circuit, rules.windowMs / BUCKETS, now);
  else if (now >= circuit.until) beginTrials(circuit, now, rules.trials);
}

function age(circuit: Circuit, bucketMs: number, now: number): void {
  const bucket = Math.floor(now / bucketMs);
  const gone = circuit.bucketMs === bucketMs ? Math.min(bucket - circuit.bucket, BUCKETS) : BUCKETS;
  if (gone === 0) return;
  for (let i = 0; i < gone; i++) {
    const slot = (bucket - i) % BUCKETS;
    circuit.calls[slot] = 0;
    circuit.failures[slot] = 0;
    circuit.slow[slot] = 0;
  }
  circuit.bucket = bucket;
  circuit.bucketMs = bucketMs;
}

/** For how long no call may go, in milliseconds; null when one may. */
export function waitOf(circuit: Circuit, now: number): number | null {
  if (circuit.state === 'open') return circuit.until - now;
  if (circuit.state === 'trials' && circuit.trialsLeft === 0)
    return Math.min(circuit.cooldownMs, circuit.until - now);
  return null;
}

/** The end of a call that was let through in this epoch. `random` is between 0 and 1. */
export function take(circuit: Circuit, outcome: Outcome, rules: Breakers, now: number, random: number): void {
  if (circuit.state === 'trials') return takeTrial(circuit, outcome, rules, now, random);
  if (outcome === 'ignored' || outcome === 'throttled') return;
  const slot = circuit.bucket % BUCKETS;
  circuit.calls[slot]! += 1;
  if (outcome === 'success') return;
  (outcome === 'failure' ? circuit.failures : circuit.slow)[slot]! += 1;
  const calls = sum(circuit.calls);
  const failing = sum(circuit.failures) >= calls * rules.failureRate;
  const slow = rules.slow !== null && sum(circuit.slow) >= calls * rules.slow.rate;
  if (calls < rules.callsMin || !(failing || slow)) return;
  const healthy = circuit.cooldownMs === 0 || now - circuit.closedAt >= HEALTHY_MS;
  openUp(circuit, healthy ? rules.cooldownMs : circuit.cooldownMs * 2, rules, now, random);
}

/** A caller that left, and one that is only to slow down, say nothing: the place is another's. */
function takeTrial(circuit: Circuit, outcome: Outcome, rules: Breakers, now: number, random: number): void {
  if (outcome === 'ignored' || outcome === 'throttled') {
    circuit.trialsLeft += 1;
    return;
  }
  circuit.trialsEnded += 1;
  if (outcome !== 'success') circuit.trialFailures += 1;
  if (circuit.trialFailures > 0 && circuit.trialFailures >= circuit.trials * rules.failureRate)
    openUp(circuit, circuit.cooldownMs * 2, rules, now, random);
  else if (circuit.trialsEnded >= circuit.trials) close(circuit, now);
}

function beginTrials(circuit: Circuit, now: number, trials: number): void {
  circuit.state = 'trials';
  circuit.epoch += 1;
  circuit.until = now + TRIAL_MS_MAX;
  circuit.trials = trials;
  circuit.trialsLeft = trials;
  circuit.trialsEnded = 0;
  circuit.trialFailures = 0;
}

function openUp(circuit: Circuit, cooldownMs: number, rules: Breakers, now: number, random: number): void {
  circuit.state = 'open';
  circuit.epoch += 1;
  circuit.cooldownMs = Math.min(cooldownMs, rules.cooldownMsMax);
  circuit.until = now + circuit.cooldownMs * (1 - JITTER + 2 * JITTER * random);
}

/** What came before the opening is forgotten, but for how long the next cooldown would be. */
function close(circuit: Circuit, now: number): void {
  const { cooldownMs, epoch } = circuit;
  Object.assign(circuit, closedCircuit(), { cooldownMs, epoch: epoch + 1, closedAt: now });
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);
