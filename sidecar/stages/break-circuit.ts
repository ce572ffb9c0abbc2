// Do not send to what is failing. Refuses with `circuit_open`.

import { type Admitted, learn, noteRefusal, type Reserved } from '../call.ts';
import { type Circuits, UNGUARDED } from '../state/circuits.ts';

export function breakCircuit(reserved: Reserved, circuits: Circuits): Admitted {
  const { agent, upstream, description } = reserved;
  const keys = [`agent ${agent.name} to ${upstream.name}`];
  if (description?.model) keys.push(`${upstream.name}/${description.model}`);
  for (const { method, name } of description?.acts ?? [])
    if (method === 'tools/call') keys.push(`${upstream.name}/${name}`);
  const passing = agent.mode === 'observe' && circuits.open(keys);
  if (passing) noteRefusal(reserved, 'circuit_open');
  return learn(reserved, { permit: passing ? UNGUARDED : circuits.admit(keys) });
}
