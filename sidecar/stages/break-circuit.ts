// Do not send to what is failing, nor to what asked to be left alone, nor more than was agreed. Refuses with
// `circuit_open`, `rate_limited`.

import { Refusal } from '../../contract/refusals.ts';
import { type Admitted, learn, noteRefusal, type Reserved } from '../call.ts';
import { circuitKeys, limitedOf } from '../guarded.ts';
import { type Circuits, UNGUARDED } from '../state/circuits.ts';
import type { Rates, Taken } from '../state/rates.ts';
import type { Passage, Throttles } from '../state/throttles.ts';

export interface Admission {
  readonly circuits: Circuits;
  readonly throttles: Throttles;
  readonly rates: Rates;
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

function admit(reserved: Reserved, passage: Passage | null, use: Admission): Admitted {
  const { agent, upstream, description } = reserved;
  const keys = circuitKeys(agent.name, upstream.name, description);
  const passing = agent.mode === 'observe' && use.circuits.stopping(keys) !== null;
  if (passing) noteRefusal(reserved, 'circuit_open');
  const permit = passing ? UNGUARDED : use.circuits.admit(keys);
  try {
    return learn(reserved, { passage, permit, rated: rated(reserved, use.rates) });
  } catch (failure) {
    permit.report('ignored');
    throw failure;
  }
}

/** Observed, a call only notes that it was one too many. */
function rated(reserved: Reserved, rates: Rates): Taken | null {
  try {
    return rate(reserved, rates);
  } catch (failure) {
    if (reserved.agent.mode === 'enforce' || !(failure instanceof Refusal)) throw failure;
    noteRefusal(reserved, failure.code);
    return null;
  }
}

/** What the call could use, of its agent's tokens and of everything its upstream may be asked. Null without limits. */
function rate({ agent, upstream, held }: Reserved, rates: Rates): Taken | null {
  if (agent.tokenRates.length === 0 && upstream.rates.length === 0) return null;
  const tokens = Number(held.tokens);
  const own = rates.take(agent.name, agent.tokenRates, tokens);
  try {
    const shared = rates.take(upstream.name, upstream.rates, tokens);
    return both(own, shared);
  } catch (failure) {
    own.giveBack();
    throw failure;
  }
}

const both = (one: Taken, other: Taken): Taken => ({
  correct(tokens) {
    one.correct(tokens);
    other.correct(tokens);
  },
  giveBack() {
    one.giveBack();
    other.giveBack();
  },
});
