// Do not send to what is failing, nor to what asked to be left alone. Refuses with `circuit_open`, `rate_limited`.

import { type Admitted, learn, noteRefusal, type Reserved } from '../call.ts';
import { circuitKeys, limitedOf } from '../guarded.ts';
import { type Circuits, UNGUARDED } from '../state/circuits.ts';
import type { Passage, Throttles } from '../state/throttles.ts';

export interface Admission {
  readonly circuits: Circuits;
  readonly throttles: Throttles;
}

/** Waits only where a throttle is nearly over; else it answers at once. */
export function breakCircuit(reserved: Reserved, use: Admission): Admitted | Promise<Admitted> {
  return use.throttles.quiet ? admit(reserved, null, use) : pass(reserved, use);
}

async function pass(reserved: Reserved, use: Admission): Promise<Admitted> {
  const { agent, policy } = reserved;
  const limited = limitedOf(reserved);
  if (agent.mode === 'observe') {
    if (use.throttles.stopping(limited)) noteRefusal(reserved, 'rate_limited');
    return admit(reserved, null, use);
  }
  const passage = await use.throttles.pass(limited, policy.config.money.holdWaitMs);
  try {
    return admit(reserved, passage, use);
  } catch (failure) {
    passage?.ended(false);
    throw failure;
  }
}

function admit(reserved: Reserved, passage: Passage | null, { circuits }: Admission): Admitted {
  const { agent, upstream, description } = reserved;
  const keys = circuitKeys(agent.name, upstream.name, description);
  const passing = agent.mode === 'observe' && circuits.stopping(keys) !== null;
  if (passing) noteRefusal(reserved, 'circuit_open');
  return learn(reserved, { passage, permit: passing ? UNGUARDED : circuits.admit(keys) });
}
