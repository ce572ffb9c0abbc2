// Do not send to what is failing. Refuses with `circuit_open`.

import { type Admitted, learn, noteRefusal, type Reserved } from '../call.ts';
import { circuitKeys } from '../guarded.ts';
import { type Circuits, UNGUARDED } from '../state/circuits.ts';

export function breakCircuit(reserved: Reserved, circuits: Circuits): Admitted {
  const { agent, upstream, description } = reserved;
  const keys = circuitKeys(agent.name, upstream.name, description);
  const passing = agent.mode === 'observe' && circuits.stopping(keys) !== null;
  if (passing) noteRefusal(reserved, 'circuit_open');
  return learn(reserved, { permit: passing ? UNGUARDED : circuits.admit(keys) });
}
