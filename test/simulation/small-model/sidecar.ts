// One sidecar of the small model, as plain data: its purses, its calls, its word on the wire. A step makes a real till of
// that data, lets the production functions change it, and reads it back. Times count from now.

import type { LeaseAnswer, LeaseAsk } from '../../../contract/budget.ts';
import { type Amounts, plus } from '../../../contract/money.ts';
import { absorb } from '../../../sidecar/state/leases/answers.ts';
import {
  asksForWaiters,
  asksToRenew,
  asksToReport,
  giveBack,
  giveBackRecalled,
} from '../../../sidecar/state/leases/asks.ts';
import type { Desk } from '../../../sidecar/state/leases/desk.ts';
import { type Hold, type Surroundings, take, tryTake } from '../../../sidecar/state/leases/hold.ts';
import { emptyPurse, isLive, type Purse, purseFrom, stateOf } from '../../../sidecar/state/leases/purse.ts';
import {
  createTill,
  purseOfAsk,
  seat,
  type Till,
  type TillRules,
  type Waiter,
} from '../../../sidecar/state/leases/till.ts';
import type { Answer } from './ledger.ts';

/** A purse as its journal would hold it, and what is not in there. */
export interface PurseFacts {
  readonly nonce: string;
  readonly lease: string | null;
  readonly seq: number;
  readonly granted: number;
  readonly posted: number;
  /** 0: it is over. */
  readonly liveFor: number;
  readonly dirty: boolean;
}

export interface Sidecar {
  /** The main purse first, then the retired ones. */
  readonly purses: readonly PurseFacts[];
  /** Calls in flight: whose money, how much. */
  readonly calls: readonly { readonly nonce: string; readonly size: number }[];
  /** What calls that have ended truly cost. */
  readonly spent: number;
  /** The request whose answer is waited for, and when it left; null when none is. */
  readonly waitsFor: { readonly asks: readonly LeaseAsk[]; readonly sentAt: number } | null;
  /** Under way to it. */
  readonly answers: readonly Answer[] | null;
}

/** What the sidecar gets wrong, where it is told to. */
export interface SidecarFlaws {
  readonly forgetsCalls?: boolean;
  readonly givesBackHeld?: boolean;
}

const AGENT = 'a';
const TASK = 't';
const FOREVER = 1e9;
const dollars = (n: number): Amounts => ({ nanodollars: BigInt(n), tokens: 0n });
const inDollars = ({ nanodollars }: Amounts): number => Number(nanodollars);

/** A till that lives for one step. */
interface Stage {
  readonly till: Till;
  readonly desk: Desk;
  readonly rules: TillRules;
  readonly holds: readonly Hold[];
  readonly around: Surroundings;
}

let nonces = 0;
const RULES: TillRules = {
  money: () => ({ offlineNanodollars: 0n }) as ReturnType<TillRules['money']>,
  nonce: () => `new-${nonces++}`,
};
const PORTS = { ...RULES, record: () => undefined, forget: () => undefined, unanswered: () => undefined };

export const freshSidecar = (): Sidecar => ({
  purses: [factsOf(createTill(AGENT, RULES).main)],
  calls: [],
  spent: 0,
  waitsFor: null,
  answers: null,
});

function stage({ purses, calls, waitsFor }: Sidecar): Stage {
  const till = createTill(AGENT, RULES);
  const all = purses.map(purseOf);
  till.main = all[0]!;
  for (const purse of all.slice(1)) till.retired.add(purse);
  // A task without a budget of its own: always room, nothing to say.
  const task = emptyPurse('task', AGENT, TASK, TASK);
  Object.assign(task, { lease: TASK, unlimited: { nanodollars: true, tokens: true }, expiresAtMs: FOREVER });
  till.tasks.set(TASK, task);
  till.asking = waitsFor !== null;
  const around: Surroundings = {
    nowMs: () => 0,
    isOffline: () => false,
    tasksAreLimited: () => false,
    settled: () => undefined,
  };
  const holds = calls.map(({ nonce, size }) =>
    take(till, [all.find((purse) => purse.nonce === nonce)!], dollars(size), around),
  );
  const desk = { ports: PORTS, failing: false, closing: false, stopped: new Map() } as unknown as Desk;
  return { till, desk, rules: RULES, holds, around };
}

function purseOf({ nonce, lease, seq, granted, posted, liveFor, dirty }: PurseFacts): Purse {
  const unlimited = { nanodollars: false, tokens: false };
  const purse = emptyPurse('agent', AGENT, '', nonce);
  return Object.assign(purse, {
    ...{ lease, seq, unlimited, dirty },
    granted: dollars(granted),
    posted: dollars(posted),
    expiresAtMs: liveFor,
  });
}

const factsOf = ({ nonce, lease, seq, granted, posted, expiresAtMs, dirty }: Purse): PurseFacts => ({
  ...{ nonce, lease, seq, dirty },
  granted: inDollars(granted),
  posted: inDollars(posted),
  liveFor: Math.max(0, expiresAtMs),
});

const read = ({ main, retired }: Till): readonly PurseFacts[] => [main, ...retired].map(factsOf);

/** A call begins, if the slice at hand pays for it. */
export function callFrom(sidecar: Sidecar, size: number): Sidecar | null {
  const { till, around } = stage(sidecar);
  if (!tryTake(till, TASK, dollars(size), around)) return null;
  const calls = [...sidecar.calls, { nonce: till.main.nonce, size }].sort(
    (a, b) => a.size - b.size || (a.nonce < b.nonce ? -1 : 1),
  );
  return { ...sidecar, calls };
}

/** A call has ended and cost this much. */
export function settle(sidecar: Sidecar, call: number, used: number): Sidecar {
  const { till, holds } = stage(sidecar);
  holds[call]!.settle(dollars(used));
  return {
    ...sidecar,
    purses: read(till),
    calls: sidecar.calls.toSpliced(call, 1),
    spent: sidecar.spent + used,
  };
}

/** What it may ask of its own accord, or because a call of this size waits. */
export type Reason = 'report' | 'renew' | 'recall' | 'stop' | number;

/** It asks the ledger; null when it has nothing to say, or still waits for an answer. */
export function askFor(sidecar: Sidecar, reason: Reason, flaws: SidecarFlaws): Sidecar | null {
  if (sidecar.waitsFor) return null;
  const { till, rules } = stage(sidecar);
  const asks = asksOf(till, rules, reason).map((ask) => spoilt(ask, flaws));
  if (asks.length === 0) return null;
  return { ...sidecar, purses: read(till), waitsFor: { asks, sentAt: 0 } };
}

function asksOf(till: Till, rules: TillRules, reason: Reason): LeaseAsk[] {
  if (reason === 'report') return asksToReport(till, 0, rules);
  if (reason === 'renew') return asksToRenew(till, 0, rules);
  if (reason === 'stop')
    return [...till.retired, till.main].filter(({ lease }) => lease !== null).map(giveBack);
  if (reason === 'recall') {
    if (till.main.lease !== null) till.recalled.add(till.main.lease);
    return giveBackRecalled(till);
  }
  till.waiters.push({ task: TASK, amounts: dollars(reason) } as Waiter);
  return asksForWaiters(till, 0, rules);
}

const spoilt = (ask: LeaseAsk, { givesBackHeld }: SidecarFlaws): LeaseAsk =>
  givesBackHeld && ask.release
    ? { ...ask, held: { nanodollars: '0', tokens: '0' }, granted: ask.posted }
    : ask;

/** The answers have come: production takes them in, one by one. */
export function hear(sidecar: Sidecar): Sidecar {
  const { waitsFor, answers } = sidecar;
  const { till, desk } = stage({ ...sidecar, waitsFor: null });
  for (const [i, ask] of waitsFor!.asks.entries())
    absorb(desk, till, ask, messageOf(answers![i]!), waitsFor!.sentAt);
  return { ...sidecar, purses: read(till), waitsFor: null, answers: null };
}

function messageOf({ outcome, lease, granted, ttl }: Answer): LeaseAnswer {
  const amounts = { nanodollars: String(granted), tokens: '0' };
  return { scope: 'agent', outcome, lease, epoch: 1, granted: amounts, ttlMs: ttl };
}

/** No answer came in time: what was said is said again. */
export function giveUp(sidecar: Sidecar): Sidecar {
  const { till } = stage(sidecar);
  for (const ask of sidecar.waitsFor!.asks) {
    const purse = purseOfAsk(till, ask);
    if (purse) purse.dirty = true;
  }
  return { ...sidecar, purses: read(till), waitsFor: null, answers: null };
}

/** Killed and started again: calls without an end are posted at what they held, as the journal has it. */
export function restart(sidecar: Sidecar, { forgetsCalls }: SidecarFlaws): Sidecar {
  const till = createTill(AGENT, RULES);
  const remembered = sidecar.purses.filter(({ seq }) => seq > 0);
  const lost = (nonce: string): number =>
    sidecar.calls.filter((call) => call.nonce === nonce).reduce((sum, { size }) => sum + size, 0);
  for (const facts of remembered.toSorted((a, b) => Number(a.lease === null) - Number(b.lease === null))) {
    const purse = purseFrom(stateOf(purseOf(facts)));
    if (!forgetsCalls) purse.posted = plus(purse.posted, dollars(lost(facts.nonce)));
    if (purse.lease === null || isLive(purse, 0)) seat(till, purse);
    else till.retired.add(purse);
  }
  const orphaned = sidecar.calls.reduce((sum, { size }) => sum + size, 0);
  return { purses: read(till), calls: [], spent: sidecar.spent + orphaned, waitsFor: null, answers: null };
}

export function pass(sidecar: Sidecar): Sidecar {
  const { purses, waitsFor } = sidecar;
  return {
    ...sidecar,
    purses: purses.map((purse) => ({ ...purse, liveFor: Math.max(0, purse.liveFor - 1) })),
    waitsFor: waitsFor && { ...waitsFor, sentAt: Math.max(-1, waitsFor.sentAt - 1) },
  };
}

/** What its calls may truly have cost by now, at most. */
export const spentBy = ({ spent, calls }: Sidecar): number =>
  calls.reduce((sum, { size }) => sum + size, spent);
