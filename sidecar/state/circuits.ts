// Circuits keep calls away from what is failing: one per (agent, upstream) and one per (upstream, model or tool). A call
// goes only where none of its circuits stands in the way, and its end is told to each.

import type { Breakers } from '../../contract/config/config.ts';
import { Refusal } from '../../contract/refusals.ts';
import type { Clock } from '../../kit/clock.ts';
import {
  advance,
  type Circuit,
  type CircuitState,
  closedCircuit,
  type Outcome,
  restoredCircuit,
  take,
  waitOf,
} from './circuit.ts';

/** Leave to send one call; told how it ended, once. */
export interface Permit {
  report(outcome: Outcome): void;
}

export interface Circuits {
  /** Throws Refusal `circuit_open` when one of the keys' circuits is open. */
  admit(keys: readonly string[]): Permit;
  /** The first of them that would stop a call now, and for how many milliseconds; null when none would. Changes nothing. */
  stopping(keys: readonly string[]): { readonly key: string; readonly waitMs: number } | null;
  /** Of those that were open at some time since the start. */
  states(): ReadonlyMap<string, CircuitState>;
}

export interface CircuitsOptions {
  /** Read at each use: they may change while calls run. */
  rules(): Breakers;
  readonly clock: Clock;
  /** Between 0 and 1. */
  random(): number;
  /** Those that were not closed when the process stopped. */
  readonly restored?: Iterable<string>;
  /** A circuit opened, or closed again; `cooldownMs` is 0 when it closed. */
  changed?(key: string, state: 'open' | 'closed', cooldownMs: number): void;
}

const CIRCUITS_MAX = 10_000;

export function createCircuits(options: CircuitsOptions): Circuits {
  const { rules, clock, random } = options;
  const circuits = new Map<string, Circuit>();
  for (const key of options.restored ?? []) circuits.set(key, restoredCircuit(rules(), clock.monotonicMs()));

  const circuitOf = (key: string, now: number): Circuit => {
    let circuit = circuits.get(key);
    if (!circuit) {
      if (circuits.size >= CIRCUITS_MAX) circuits.delete(circuits.keys().next().value as string);
      circuit = closedCircuit();
      circuits.set(key, circuit);
    }
    advance(circuit, rules(), now);
    return circuit;
  };

  const record = (key: string, circuit: Circuit, epoch: number, outcome: Outcome): void => {
    const now = clock.monotonicMs();
    advance(circuit, rules(), now);
    if (epoch !== circuit.epoch) return;
    const before = circuit.state;
    take(circuit, outcome, rules(), now, outcome === 'success' ? 0 : random());
    const { state, cooldownMs } = circuit;
    if (state === before || state === 'trials') return;
    options.changed?.(key, state, state === 'open' ? cooldownMs : 0);
  };

  return {
    stopping(keys) {
      const now = clock.monotonicMs();
      for (const key of keys) {
        const waitMs = waitOf(circuitOf(key, now), now);
        if (waitMs !== null) return { key, waitMs };
      }
      return null;
    },
    admit(keys) {
      const now = clock.monotonicMs();
      const taken = keys.map((key) => {
        const circuit = circuitOf(key, now);
        const waitMs = waitOf(circuit, now);
        if (waitMs !== null) throw leftAlone(key, waitMs);
        return { key, circuit, epoch: circuit.epoch };
      });
      for (const { circuit } of taken) if (circuit.state === 'trials') circuit.trialsLeft -= 1;
      let reported = false;
      return {
        report(outcome) {
          if (reported) return;
          reported = true;
          for (const { key, circuit, epoch } of taken) record(key, circuit, epoch, outcome);
        },
      };
    },
    states() {
      const now = clock.monotonicMs();
      const opened = [...circuits].filter(([, { cooldownMs }]) => cooldownMs > 0);
      return new Map(opened.map(([key]) => [key, circuitOf(key, now).state]));
    },
  };
}

function leftAlone(key: string, waitMs: number): Refusal {
  return new Refusal('circuit_open', `${key} keeps failing and is left alone for now.`, {
    retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)),
    facts: { circuit: key },
  });
}

/** For a call whose circuit is not asked: observe mode lets it through an open one. */
export const UNGUARDED: Permit = { report: () => undefined };
