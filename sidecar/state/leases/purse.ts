// A purse is one lease seen from the sidecar: what was granted, posted and is held, all cumulative.
//
//   posted ──┤ held ──┤ room ──┤ granted            posted + held ≤ granted, unless a call was forced (observe mode)

import type { LeaseAnswer, LeaseAsk, LeaseScope } from '../../../contract/budget.ts';
import { type Amounts, fromMessage, minus, NOTHING, plus, toMessage } from '../../../contract/money.ts';
import type { Outlook } from './outlook.ts';

export interface Purse {
  readonly scope: LeaseScope;
  readonly agent: string;
  /** Empty unless `scope` is `task`. */
  readonly task: string;
  lease: string | null;
  /** Drawn for the lease that is wanted, so that an answer lost on the way opens no second one. */
  readonly nonce: string;
  epoch: number;
  seq: number;
  granted: Amounts;
  /** What would be unspent of it, were it drawn now. Null where nothing limits the unit, or the ledger said none. */
  share: { readonly nanodollars: bigint | null; readonly tokens: bigint | null };
  /** Units no budget on the path limits. */
  unlimited: { readonly nanodollars: boolean; readonly tokens: boolean };
  posted: Amounts;
  held: Amounts;
  /** Wall clock, so that a restarted sidecar knows it too. No new hold after it. */
  expiresAtMs: number;
  /** Posted or granted changed since the ledger last heard. */
  dirty: boolean;
  /** The ledger's last answer was that it opens no lease for it. */
  refused: boolean;
  lastUsedMs: number;
  /** What the ledger last said of the budgets behind it, or behind the one it took the place of. */
  outlook: Outlook | null;
}

/** What of a purse must survive a crash: written to the journal before a grant is used. */
export interface PurseState {
  readonly scope: LeaseScope;
  readonly agent: string;
  readonly task: string;
  /** Null while it is only asked for: the ledger may have opened it, and its answer be lost with this process. */
  readonly lease: string | null;
  readonly nonce: string;
  readonly epoch: number;
  readonly seq: number;
  readonly granted: { readonly nanodollars: string; readonly tokens: string };
  readonly unlimited: { readonly nanodollars: boolean; readonly tokens: boolean };
  readonly posted: { readonly nanodollars: string; readonly tokens: string };
  readonly expiresAtMs: number;
}

const UNLIMITED = 1n << 62n;

export function emptyPurse(scope: LeaseScope, agent: string, task: string, nonce: string): Purse {
  return {
    scope,
    agent,
    task,
    lease: null,
    nonce,
    epoch: 0,
    seq: 0,
    granted: NOTHING,
    share: { nanodollars: null, tokens: null },
    unlimited: { nanodollars: false, tokens: false },
    posted: NOTHING,
    held: NOTHING,
    expiresAtMs: 0,
    dirty: false,
    refused: false,
    lastUsedMs: 0,
    outlook: null,
  };
}

export const isLive = (purse: Purse, nowMs: number): boolean =>
  purse.lease !== null && nowMs < purse.expiresAtMs;

/** What may still be held; negative where a call was forced. */
export function roomOf(purse: Purse): Amounts {
  const room = minus(purse.granted, plus(purse.posted, purse.held));
  return {
    nanodollars: purse.unlimited.nanodollars ? UNLIMITED : room.nanodollars,
    tokens: purse.unlimited.tokens ? UNLIMITED : room.tokens,
  };
}

/** Whether any of the slice could be given back: neither spent nor held. */
export function hasSpare({ granted, posted, held, unlimited }: Purse): boolean {
  const spare = minus(granted, plus(posted, held));
  return (!unlimited.nanodollars && spare.nanodollars > 0n) || (!unlimited.tokens && spare.tokens > 0n);
}

/** What `amounts` lacks of room, never negative. What calls used beyond the slice is made good where it is posted. */
export function lackOf(purse: Purse, amounts: Amounts, nowMs: number): Amounts {
  const room = isLive(purse, nowMs) ? plus(roomOf(purse), overrunOf(purse)) : NOTHING;
  const lack = minus(amounts, room);
  return { nanodollars: max0(lack.nanodollars), tokens: max0(lack.tokens) };
}

const overrunOf = ({ posted, granted }: Purse): Amounts => ({
  nanodollars: max0(posted.nanodollars - granted.nanodollars),
  tokens: max0(posted.tokens - granted.tokens),
});

export function askOf(purse: Purse, want: Amounts, need: Amounts, give: Partial<LeaseAsk> = {}): LeaseAsk {
  purse.seq += 1;
  purse.dirty = false;
  purse.refused = false;
  // What is given back may not be held any more from this moment on, whether or not the answer comes.
  if (give.release) purse.granted = plus(purse.posted, purse.held);
  return {
    scope: purse.scope,
    ...(purse.scope === 'task' ? { task: purse.task } : {}),
    lease: purse.lease,
    ...(purse.lease === null ? { nonce: purse.nonce } : {}),
    seq: purse.seq,
    granted: toMessage(purse.granted),
    posted: toMessage(purse.posted),
    held: toMessage(purse.held),
    want: toMessage(want),
    need: toMessage(need),
    ...give,
  };
}

/** Takes over what the ledger granted. `sentAtMs`: when the ask left, so that our expiry is never later than its own. */
export function takeGrant(purse: Purse, answer: LeaseAnswer, sentAtMs: number): void {
  purse.lease = answer.lease;
  purse.epoch = answer.epoch;
  purse.unlimited = {
    nanodollars: answer.granted.nanodollars === null,
    tokens: answer.granted.tokens === null,
  };
  purse.granted = {
    nanodollars: BigInt(answer.granted.nanodollars ?? 0),
    tokens: BigInt(answer.granted.tokens ?? 0),
  };
  purse.share = {
    nanodollars: bigintOrNull(answer.share?.nanodollars),
    tokens: bigintOrNull(answer.share?.tokens),
  };
  purse.expiresAtMs = sentAtMs + answer.ttlMs;
}

const bigintOrNull = (text: string | null | undefined): bigint | null =>
  text === null || text === undefined ? null : BigInt(text);

/** Lets go of what it has above its share: that is given back with the next ask. */
export function keepShare(purse: Purse): void {
  purse.granted = {
    nanodollars: shareOf(purse, 'nanodollars'),
    tokens: shareOf(purse, 'tokens'),
  };
}

function shareOf({ granted, posted, held, share }: Purse, unit: keyof Amounts): bigint {
  const fair = share[unit];
  if (fair === null) return granted[unit];
  const kept = posted[unit] + (fair > held[unit] ? fair : held[unit]);
  return kept < granted[unit] ? kept : granted[unit];
}

export function stateOf(purse: Purse): PurseState {
  return {
    scope: purse.scope,
    agent: purse.agent,
    task: purse.task,
    lease: purse.lease,
    nonce: purse.nonce,
    epoch: purse.epoch,
    seq: purse.seq,
    granted: toMessage(purse.granted),
    unlimited: purse.unlimited,
    posted: toMessage(purse.posted),
    expiresAtMs: purse.expiresAtMs,
  };
}

export function purseFrom(state: PurseState): Purse {
  return {
    ...emptyPurse(state.scope, state.agent, state.task, state.nonce),
    lease: state.lease,
    epoch: state.epoch,
    seq: state.seq,
    granted: fromMessage(state.granted),
    unlimited: state.unlimited,
    posted: fromMessage(state.posted),
    expiresAtMs: state.expiresAtMs,
    dirty: true,
  };
}

const max0 = (n: bigint): bigint => (n > 0n ? n : 0n);
