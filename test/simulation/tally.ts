// What many runs came to: the figures that docs/simulation.md is written from.

import { FAULT_KINDS } from './scenario.ts';
import type { Outcome } from './simulate.ts';

export interface Tally {
  add(outcome: Outcome): void;
  /** How long it took, by the clock and of the processor. */
  text(seconds: number, cpuSeconds: number): string;
}

export function emptyTally(): Tally {
  const totals = new Map<string, number>();
  const faults = new Map<string, number>(FAULT_KINDS.map((kind) => [kind, 0]));
  const count = (name: string, by: number): void => void totals.set(name, (totals.get(name) ?? 0) + by);
  return {
    add({ steps, asks, scenario, calls, findings }) {
      count('seeds', 1);
      count('failed', findings.length > 0 ? 1 : 0);
      count('steps', steps);
      count('asks of the ledger', asks);
      count('sidecars', scenario.sidecars.length);
      for (const [state, of] of Object.entries(calls)) count(`calls ${state}`, of);
      for (const { kind } of scenario.faults) faults.set(kind, (faults.get(kind) ?? 0) + 1);
    },
    text: (seconds, cpuSeconds) =>
      [
        ...[...totals].map(([name, of]) => `${name}: ${of}`),
        `faults: ${[...faults].map(([kind, of]) => `${kind} ${of}`).join(', ')}`,
        `seconds: ${seconds.toFixed(1)}, of the processor: ${cpuSeconds.toFixed(1)}`,
        '',
      ].join('\n'),
  };
}

const LAST_EVENTS = 40;

/** A failure as a person wants it: the seed, what was found, and what happened last. */
export function tell({ seed, findings, history }: Outcome, lines = LAST_EVENTS): string {
  const last = lines === 0 ? [] : history.slice(-lines);
  return [...last, `seed ${seed}: ${findings.join('; ')}`, `again: npm run simulate -- ${seed}`, ''].join(
    '\n',
  );
}
