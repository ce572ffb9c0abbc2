// What an ended call is charged, and how sure we are. Missing is never zero: what was not reported is bounded, and a
// call lost after its first byte costs its whole hold. One function per row of DESIGN § 4, "The record".

import { type Status, speaksLlm, type UsageSource } from '../contract/attributes.ts';
import { type Amounts, NOTHING } from '../contract/money.ts';
import type { Refusal } from '../contract/refusals.ts';
import type { Reserved } from './call.ts';
import type { Metered, Usage } from './dialects/metered.ts';
import { NOTHING_METERED } from './dialects/stream-meter.ts';
import type { SendFailure } from './edges/upstreams.ts';
import type { PriceBook } from './state/prices.ts';

export type Ending =
  /** The upstream's answer went through to its end; `metered` is what it said. */
  | { readonly kind: 'answered'; readonly metered: Metered | null; readonly upstreamStatus: number }
  /** We ended the stream where its hold was used up; of its output `outputTokens` were surely made. */
  | { readonly kind: 'cut'; readonly metered: Metered | null; readonly outputTokens: number }
  /** The upstream's answer broke off. */
  | { readonly kind: 'broken'; readonly metered: Metered | null; readonly failure: SendFailure | null }
  | { readonly kind: 'hung_up'; readonly metered: Metered | null; readonly sent: boolean }
  /** We ended the answer because its agent may no longer go on; `legally` where its dialect lets it end. */
  | {
      readonly kind: 'interrupted';
      readonly metered: Metered | null;
      readonly refusal: Refusal;
      readonly legally: boolean;
    }
  /** `sent`: a byte may have reached the upstream before the refusal. */
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly sent: boolean };

export interface Charge {
  readonly status: Status;
  readonly errorType: string;
  readonly used: Amounts;
  /** Null when no rate is known for what was used. */
  readonly cost: bigint | null;
  readonly usage: Usage | null;
  readonly source: UsageSource;
  /** The model that was priced. */
  readonly model: string;
}

/** Tokens that may have been made and not yet seen when a stream is cut. */
const UNSEEN_OUTPUT_TOKENS = 64;

/** What a call knows when it is charged; a refusal may come before any of it. */
export type Chargeable = Partial<Reserved>;

export function charge(call: Chargeable, ending: Ending, prices: PriceBook): Charge {
  switch (ending.kind) {
    case 'answered':
      return chargeAnswered(call, ending.metered, ending.upstreamStatus, prices);
    case 'cut':
      return chargeCut(call, ending.metered, ending.outputTokens, prices);
    case 'broken':
      return {
        ...chargeHold(call),
        status: timedOut(ending.failure) ? 'timeout' : 'failure',
        errorType: timedOut(ending.failure) ? 'upstream_timeout' : 'upstream_broken',
      };
    case 'hung_up':
      return chargeHungUp(call, ending.metered, ending.sent, prices);
    case 'interrupted':
      return chargeInterrupted(call, ending, prices);
    case 'refused':
      return chargeRefused(call, ending.refusal, ending.sent, prices);
  }
}

const timedOut = (failure: SendFailure | null): boolean => failure?.kind === 'timeout';

const modelOf = (call: Chargeable): string => call.description?.model ?? '';

/** Nothing was metered and nothing is owed, or nothing can be priced. */
function chargeNothing(call: Chargeable, source: UsageSource): Charge {
  const metered =
    call.upstream !== undefined && speaksLlm(call.upstream.speaks) && call.endpoint?.billed !== 'free';
  const unpriced = metered && call.price == null;
  return {
    status: 'success',
    errorType: '',
    used: NOTHING,
    cost: unpriced ? null : 0n,
    usage: null,
    source: unpriced ? 'unsupported' : source,
    model: modelOf(call),
  };
}

/** No byte reached the upstream: certainly nothing is owed. */
function chargeUnsent(call: Chargeable): Charge {
  return { ...chargeNothing(call, 'none'), cost: 0n, source: 'none' };
}

function chargeHold(call: Chargeable): Charge {
  const nothing = chargeNothing(call, 'none');
  if (!call.held || call.price == null) return nothing;
  return { ...nothing, used: call.held, cost: call.held.nanodollars, source: 'estimated' };
}

function chargeAnswered(
  call: Chargeable,
  metered: Metered | null,
  status: number,
  prices: PriceBook,
): Charge {
  const ok = status < 400;
  const failed = !ok || (metered?.errorType ?? null) !== null;
  const outcome = {
    status: failed ? ('failure' as const) : ('success' as const),
    errorType: failed ? (metered?.errorType ?? String(status)) : '',
  };
  if (!call.description || call.endpoint?.billed === 'free')
    return { ...chargeNothing(call, 'none'), ...outcome };
  if (call.endpoint?.billed === 'call')
    return { ...(ok ? chargeHold(call) : chargeNothing(call, 'none')), ...outcome, source: 'none' };
  if (metered?.usage) return { ...chargeUsage(call, metered, metered.usage, prices), ...outcome };
  if (failed && !(ok && call.description.outlivesAnswer)) {
    if (metered?.partial) return { ...chargeUsage(call, metered, metered.partial, prices), ...outcome };
    return { ...chargeNothing(call, 'none'), ...outcome };
  }
  return { ...chargeHold(call), ...outcome };
}

function chargeUsage(call: Chargeable, metered: Metered, usage: Usage, prices: PriceBook): Charge {
  const nothing = chargeNothing(call, 'reported');
  if (!call.upstream || call.price == null) return { ...nothing, usage, source: 'reported' };
  const priced = prices.charge(call.upstream, call.price, modelOf(call), metered, usage);
  const tokens = BigInt(totalTokens(usage));
  if (priced === null) {
    // A class of tokens without a rate: what it cost is unknown, so the budget pays the hold.
    return {
      ...nothing,
      used: { nanodollars: call.held?.nanodollars ?? 0n, tokens },
      cost: null,
      usage,
      source: 'reported',
    };
  }
  return {
    ...nothing,
    used: { nanodollars: priced.nanodollars, tokens },
    cost: priced.nanodollars,
    usage,
    source: 'reported',
    model: priced.model,
  };
}

export const totalTokens = (usage: Usage): number =>
  usage.uncachedInputTokens +
  usage.cachedInputTokens +
  usage.cacheWriteTokens +
  usage.cacheWriteHourTokens +
  usage.outputTokens;

/** Input as reported or bounded, output from the bytes seen plus a margin, at most the hold. */
function chargeHungUp(call: Chargeable, metered: Metered | null, sent: boolean, prices: PriceBook): Charge {
  const outcome = { status: 'failure' as const, errorType: 'client_closed' };
  if (!sent) return { ...chargeUnsent(call), ...outcome };
  // it heard all there was, and did not wait for the connection's end; a stream only listened to ends in no other way
  if (metered?.complete) return chargeAnswered(call, metered, 200, prices);
  if (call.description?.outlivesAnswer) return { ...chargeHold(call), ...outcome };
  if (!call.description || !call.upstream || call.price == null || !call.held) {
    return { ...chargeNothing(call, 'none'), ...outcome };
  }
  if (call.endpoint?.billed === 'call') return { ...chargeHold(call), ...outcome };
  const usage = boundedUsage(call, metered, call.price.contextWindow);
  const seen: Metered = metered ?? NOTHING_METERED;
  const priced = prices.charge(call.upstream, call.price, modelOf(call), seen, usage);
  const cost = smaller(priced?.nanodollars ?? call.held.nanodollars, call.held.nanodollars);
  const used = { nanodollars: cost, tokens: smaller(BigInt(totalTokens(usage)), call.held.tokens) };
  return { ...chargeNothing(call, 'estimated'), ...outcome, used, cost, usage, source: 'estimated' };
}

/** As a hang-up, for what was under way was made all the same; the end that we wrote is not the answer's own. */
function chargeInterrupted(
  call: Chargeable,
  { metered, refusal, legally }: Extract<Ending, { kind: 'interrupted' }>,
  prices: PriceBook,
): Charge {
  const seen = metered && { ...metered, complete: metered.complete && metered.usage !== null };
  const status = legally ? ('success' as const) : ('failure' as const);
  return { ...chargeHungUp(call, seen, true, prices), status, errorType: legally ? '' : refusal.code };
}

/** What was surely used, at most the hold: that is why it was cut. */
function chargeCut(
  call: Chargeable,
  metered: Metered | null,
  outputTokens: number,
  prices: PriceBook,
): Charge {
  if (!call.held) return chargeNothing(call, 'none');
  const used = usedSoFar(call, metered, outputTokens, prices);
  const cost = smaller(used.nanodollars, call.held.nanodollars);
  return {
    ...chargeNothing(call, 'estimated'),
    used: { nanodollars: cost, tokens: smaller(used.tokens, call.held.tokens) },
    cost,
    usage: usageSoFar(call, metered, outputTokens),
    source: 'estimated',
  };
}

/** What a stream has used with `outputTokens` made; the whole hold where no rate is known for it. */
export function usedSoFar(
  call: Chargeable,
  metered: Metered | null,
  outputTokens: number,
  prices: PriceBook,
): Amounts {
  const held = call.held ?? NOTHING;
  if (!call.upstream || call.price == null) return held;
  const usage = usageSoFar(call, metered, outputTokens);
  const seen = metered ?? NOTHING_METERED;
  const priced = prices.charge(call.upstream, call.price, modelOf(call), seen, usage);
  return { nanodollars: priced?.nanodollars ?? held.nanodollars, tokens: BigInt(totalTokens(usage)) };
}

/** Input as reported or bounded. */
function usageSoFar(call: Chargeable, metered: Metered | null, outputTokens: number): Usage {
  const reported = metered?.usage ?? metered?.partial;
  return { ...(reported ?? boundedInput(call, call.price?.contextWindow ?? null)), outputTokens };
}

function boundedInput(call: Chargeable, contextWindow: number | null): Usage {
  const bound = call.description?.inputTokensMax ?? 0;
  return {
    uncachedInputTokens: bound === 'context_window' ? (contextWindow ?? 0) : bound,
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    cacheWriteHourTokens: 0,
    outputTokens: 0,
    reasoningTokens: 0,
    hostedUses: {},
  };
}

function boundedUsage(call: Chargeable, metered: Metered | null, contextWindow: number | null): Usage {
  const output = (metered?.outputBytesSeen ?? 0) + UNSEEN_OUTPUT_TOKENS;
  const limit =
    (call.description?.outputTokensMax ?? call.outputTokensWritten ?? output) *
    (call.description?.choices ?? 1);
  const outputTokens = Math.min(output, limit);
  if (metered?.partial)
    return { ...metered.partial, outputTokens: Math.max(metered.partial.outputTokens, outputTokens) };
  return { ...boundedInput(call, contextWindow), outputTokens };
}

/** Of whom a call is stopped under way, when nothing was answered yet: it costs what a hang-up would. */
const STOPS: ReadonlySet<string> = new Set(['agent_quarantined', 'unknown_agent']);

function chargeRefused(call: Chargeable, refusal: Refusal, sent: boolean, prices: PriceBook): Charge {
  if (sent && STOPS.has(refusal.code))
    return { ...chargeHungUp(call, null, true, prices), status: 'refused', errorType: refusal.code };
  if (refusal.code === 'approval_needed')
    return { ...chargeNothing(call, 'none'), cost: 0n, status: 'escalated', errorType: refusal.code };
  if (refusal.code === 'upstream_timeout') {
    return {
      ...(sent ? chargeHold(call) : chargeUnsent(call)),
      status: 'timeout',
      errorType: refusal.code,
    };
  }
  if (refusal.code === 'upstream_unreachable') {
    return {
      ...(sent ? chargeHold(call) : chargeUnsent(call)),
      status: 'failure',
      errorType: refusal.code,
    };
  }
  // ours alone is the failure: what the upstream was asked for, it may have done
  if (sent) return { ...chargeHold(call), status: 'failure', errorType: refusal.code };
  return {
    ...chargeNothing(call, 'none'),
    source: 'none',
    cost: 0n,
    status: 'refused',
    errorType: refusal.code,
  };
}

const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);
