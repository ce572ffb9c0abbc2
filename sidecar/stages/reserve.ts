// Hold the most the call could cost, at every level, before a byte leaves. Refuses with `over_budget`, `unpriced`,
// `ledger_unreachable`, and `bad_request` where a request asks for more output than its role may.

import { isNothing, NOTHING, plus } from '../../contract/money.ts';
import { Refusal } from '../../contract/refusals.ts';
import { type Authorized, learn, noteRefusal, type Reserved } from '../call.ts';
import { type Description, writesOutput } from '../dialects/dialect.ts';
import type { Bound } from '../state/batch-files.ts';
import type { Leases } from '../state/leases/leases.ts';
import type { Price } from '../state/prices.ts';

export interface Reservation {
  readonly leases: Leases;
}

export async function reserve(authorized: Authorized, use: Reservation): Promise<Reserved> {
  const { description, endpoint } = authorized;
  if (!description) return learn(authorized, NOTHING_HELD);
  if (endpoint?.billed === 'free') {
    const fileBound = description.requests.length > 0 ? boundOfRequests(authorized, description) : null;
    return learn(authorized, { ...NOTHING_HELD, fileBound });
  }
  if (description.requests.length > 0)
    return holdFor(authorized, boundOfRequests(authorized, description), null, use);
  if (description.inputFile) return holdForFile(authorized, use);
  return holdOne(authorized, description, use);
}

const NOTHING_HELD = {
  price: null,
  hold: null,
  held: NOTHING,
  outputTokensWritten: null,
  fileBound: null,
} as const;

async function holdOne(
  authorized: Authorized,
  description: Description,
  use: Reservation,
): Promise<Reserved> {
  const { upstream, startedAtMs, policy } = authorized;
  const price = policy.prices.priceOf(upstream, description.model ?? '', startedAtMs);
  const outputTokensMax = outputLimit(authorized, description, price);
  const outputTokensWritten = description.outputTokensMax === null ? outputTokensMax : null;
  const held = price && policy.prices.bound(price, description, outputTokensMax ?? 0);
  if (!held) refuseUnpriced(authorized, description.unmeterable);
  return holdFor(authorized, held && { held, price }, outputTokensWritten, use);
}

/** A file may have been uploaded while its agent was only observed, and submitted when it no longer is. */
async function holdForFile(authorized: Authorized, use: Reservation): Promise<Reserved> {
  const bound = authorized.batchFile?.bound ?? null;
  if (!bound) refuseUnpriced(authorized, 'what the requests in its input file cost has no bound');
  return holdFor(authorized, bound, null, use);
}

async function holdFor(
  authorized: Authorized,
  bound: Bound | null,
  outputTokensWritten: number | null,
  use: Reservation,
): Promise<Reserved> {
  const { agent, lineage } = authorized;
  if (!bound) return learn(authorized, { ...NOTHING_HELD, outputTokensWritten });
  const { held, price } = bound;
  if (isNothing(held))
    return learn(authorized, { price, hold: null, held, outputTokensWritten, fileBound: null });
  const hold =
    agent.mode === 'observe'
      ? use.leases.force(agent.name, lineage.task, held)
      : await use.leases.hold(agent.name, lineage.task, held);
  return learn(authorized, { price, hold, held, outputTokensWritten, fileBound: null });
}

/** The sum of what each can cost. Nothing can be written into them, so each has to name its own output limit. */
function boundOfRequests(authorized: Authorized, { requests, unmeterable }: Description): Bound | null {
  const { upstream, startedAtMs, policy } = authorized;
  let held = NOTHING;
  let first: Price | null = null;
  for (const [index, { description }] of requests.entries()) {
    const price = policy.prices.priceOf(upstream, description.model ?? '', startedAtMs);
    const limit = outputLimit(authorized, description, price);
    const bound = unmeterable === null ? price && policy.prices.bound(price, description, limit ?? 0) : null;
    if (!bound) {
      const why = description.unmeterable ?? `no price is known for ${upstream.name}/${description.model}`;
      refuseUnpriced(authorized, unmeterable ?? `request ${index + 1}: ${why}`);
      return null;
    }
    held = plus(held, bound);
    first ??= price;
  }
  return first && { held, price: first };
}

/** The request's own limit; where it names none, the smaller of the role's and the price entry's. Null without output. */
function outputLimit(authorized: Authorized, description: Description, price: Price | null): number | null {
  const { agent } = authorized;
  if (!writesOutput(description.endpoint)) return null;
  const ofRole = agent.maxOutputTokens;
  const asked = description.outputTokensMax;
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

function refuseUnpriced(authorized: Authorized, because: string | null): void {
  const { upstream, description, judgement, policy } = authorized;
  if (policy.config.money.unknownPrice !== 'refuse') return;
  const why = because ?? `no price is known for ${judgement.target}`;
  const refusal = new Refusal('unpriced', `What this call costs cannot be bounded: ${why}.`, {
    facts: { upstream: upstream.name, model: description?.model ?? null },
  });
  refuse(authorized, refusal);
}
