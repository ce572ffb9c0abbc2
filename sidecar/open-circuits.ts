// What stands between a call and its upstream, with what it leans on: what was open before a restart, and where it is told
// that a circuit opens or closes.

import type { Edges } from './edges/edges.ts';
import type { Admission } from './stages/break-circuit.ts';
import type { Start } from './starting.ts';
import { createCircuits } from './state/circuits.ts';
import { createRates } from './state/rates.ts';
import { createThrottles } from './state/throttles.ts';

export function openCircuits({ inForce, clock, log }: Start, { circuitsKept }: Edges): Admission {
  const random = Math.random;
  const throttles = createThrottles({ clock, random });
  const circuits = createCircuits({
    rules: () => inForce().breakers,
    clock,
    random,
    restored: circuitsKept.restored,
    changed(circuit, state, cooldownMs) {
      circuitsKept.keep(circuit, state === 'open');
      if (state === 'open') log.warn('circuit.opened', { circuit, cooldown_seconds: cooldownMs / 1000 });
      else log.info('circuit.closed', { circuit });
    },
  });
  return { circuits, throttles, rates: createRates(clock) };
}
