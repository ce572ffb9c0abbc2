// Hold the most the call could cost, at every level, before a byte leaves. Refuses with `over_budget`, `unpriced`,
// `ledger_unreachable`, and `bad_request` where a request asks for more output than its role may.

import { isNothing, NOTHING } from '../../contract/money.ts';
import { Refusal } from '../../contract/refusals.ts';
import { type Authorized, learn, noteRefusal, type Reserved } from '../call.ts';
import { writesOutput } from '../dialects/dialect.ts';
import type { Leases } from '../state/leases.ts';
import type { Price } from '../state/prices.ts';

export interface Reservation {
  readonly leases: Leases;
}

export async function reserve(authorized: Authorized, use: Reservation): Promise<Reserved> {
  const { agent, lineage, upstream, description, endpoint, startedAtMs, policy } = authorized;
  const observing = agent.mode === 'observe';
  if (endpoint?.billed === 'free' || !description) {
    return learn(authorized, { price: null, hold: null, held: NOTHING, outputTokensWritten: null });
  }
  const price = policy.prices.priceOf(upstream, description.model ?? '', startedAtMs);
  const outputTokensMax = outputLimit(authorized, price);
  const outputTokensWritten = description.outputTokensMax === null ? outputTokensMax : null;
  const bound = price && policy.prices.bound(price, description, outputTokensMax ?? 0);
  if (!bound) {
    if (policy.config.money.unknownPrice === 'refuse') refuse(authorized, unpriced(authorized));
    return learn(authorized, { price: null, hold: null, held: NOTHING, outputTokensWritten });
  }
  const held = bound;
  if (isNothing(held)) return learn(authorized, { price, hold: null, held, outputTokensWritten });
  const hold = observing
    ? use.leases.force(agent.name, lineage.task, held)
    : await use.leases.hold(agent.name, lineage.task, held);
  return learn(authorized, { price, hold, held, outputTokensWritten });
}

/** The request's own limit; where it names none, the smaller of the role's and the price entry's. Null without output. */
function outputLimit(authorized: Authorized, price: Price | null): number | null {
  const { agent, description, endpoint } = authorized;
  if (!endpoint || !writesOutput(endpoint)) return null;
  const ofRole = agent.maxOutputTokens;
  const asked = description?.outputTokensMax ?? null;
  if (asked !== null) {
    if (ofRole !== null && asked > ofRole) {
      const tooMuch = new Refusal(
        'bad_request',
        `The request asks for ${asked} output tokens and the role's limit is ${ofRole}.`,
        {
          reason: 'max_output_tokens',
          facts: { limit: ofRole },
        },
      );
      refuse(authorized, tooMuch);
    }
    return asked;
  }
  if (!price) return ofRole;
  return ofRole === null ? price.maxOutput : Math.min(ofRole, price.maxOutput);
}

/** Throws it, unless the call is only observed: then it is noted. */
function refuse(authorized: Authorized, refusal: Refusal): void {
  if (authorized.agent.mode === 'enforce') throw refusal;
  noteRefusal(authorized, refusal.code);
}

function unpriced({ upstream, description, judgement }: Authorized): Refusal {
  const why = description?.unmeterable ?? `no price is known for ${judgement.target}`;
  return new Refusal('unpriced', `What this call costs cannot be bounded: ${why}.`, {
    facts: { upstream: upstream.name, model: description?.model ?? null },
  });
}
