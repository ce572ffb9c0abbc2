// What really happened, known to nobody in the fleet: what each call asked, what the upstream charged for it, and from
// which accounts its money came. The checkers hold the fleet's own books against it.

import type { Amounts } from '../../contract/money.ts';
import type { World } from './world/world.ts';

export type CallState = 'waiting' | 'refused' | 'held' | 'sent' | 'ended' | 'orphaned';

export interface TrueCall {
  readonly id: string;
  readonly sidecar: string;
  readonly agent: string;
  readonly task: string;
  readonly amounts: Amounts;
  readonly askedMs: number;
  leases: readonly string[];
  state: CallState;
  /** What the upstream charged, at most the hold: what is beyond it is the upstream's word against its own bound. */
  charged: Amounts;
  /** What its sidecar says it used; what it held, until it has ended. */
  used: Amounts;
  /** When it last wrote to its journal. */
  wroteMs: number;
  /** A power cut took what its journal said of it, which durability `batched` allows for 50 ms. */
  forgotten: boolean;
  /** Its frames may have been damaged before they were shipped. */
  doubtful: boolean;
}

/** One budget in one window, as the ledger names it in an ask. */
export interface TrueAccount {
  readonly key: string;
  readonly unit: 'nanodollars' | 'tokens';
  /** The highest limit that was ever in force. */
  limitMax: bigint;
  spent: bigint;
}

export interface Truth {
  readonly calls: Map<string, TrueCall>;
  readonly accounts: Map<string, TrueAccount>;
  /** The ledger answered a step: it opened a lease on the step's accounts, or went on with it there. */
  leaseOn(lease: string, step: LeaseStep): void;
  /** The upstream charges a call. */
  charge(call: TrueCall, cost: Amounts): void;
  /** What was charged against a lease. */
  spentOf(lease: string): Amounts;
  /** What may be posted against a lease, at most: a call is posted once. */
  mostOf(lease: string): Amounts;
  /** A bit of a sidecar's disk turned: which of its calls so far have a record, or a second one, nobody can say. */
  doubt(sidecar: string): void;
  /** The power cut took a call's frames: what it spent is nobody's to know. */
  forget(call: TrueCall): void;
}

/** Of what the SQL function is told, see collector/control/steps.ts. */
export interface LeaseStep {
  readonly at: number;
  readonly close?: boolean;
  readonly window_ends_at: number | null;
  readonly path: readonly PathEntry[];
}

export interface PathEntry {
  readonly level: string;
  readonly name: string;
  readonly unit: 'nanodollars' | 'tokens';
  readonly window: string;
  readonly starts_at: number;
  readonly limit: string;
}

export function createTruth(world: World): Truth {
  const calls = new Map<string, TrueCall>();
  const accounts = new Map<string, TrueAccount>();
  const leases = new Map<string, { on: TrueAccount[]; windowEndsAt: number | null }>();
  const spent = new Map<string, { nanodollars: bigint; tokens: bigint }>();

  const accountOf = ({ level, name, unit, window, starts_at, limit }: PathEntry): TrueAccount => {
    const key = `${level} ${name} ${unit}/${window} from ${starts_at}`;
    const account = accounts.get(key) ?? { key, unit, limitMax: 0n, spent: 0n };
    accounts.set(key, account);
    if (BigInt(limit) > account.limitMax) account.limitMax = BigInt(limit);
    return account;
  };

  const add = (call: TrueCall, sign: bigint): void => {
    for (const lease of call.leases) {
      const total = spent.get(lease) ?? { nanodollars: 0n, tokens: 0n };
      total.nanodollars += sign * call.charged.nanodollars;
      total.tokens += sign * call.charged.tokens;
      spent.set(lease, total);
      for (const account of leases.get(lease)?.on ?? []) account.spent += sign * call.charged[account.unit];
    }
  };

  return {
    calls,
    accounts,
    leaseOn(lease, { at, close, window_ends_at, path }) {
      const known = leases.get(lease);
      const settlingOnly = known && (close || at >= (known.windowEndsAt ?? Number.POSITIVE_INFINITY));
      const on = path.map(accountOf);
      if (!settlingOnly) leases.set(lease, { on, windowEndsAt: window_ends_at });
    },
    charge(call, cost) {
      call.charged = {
        nanodollars: least(cost.nanodollars, call.amounts.nanodollars),
        tokens: least(cost.tokens, call.amounts.tokens),
      };
      add(call, 1n);
      for (const { key, spent: so, limitMax } of accounts.values())
        if (so > limitMax) world.fail(`overspent: ${key}: ${so} of ${limitMax} was truly spent`);
    },
    spentOf: (lease) => spent.get(lease) ?? { nanodollars: 0n, tokens: 0n },
    mostOf(lease) {
      const most = { nanodollars: 0n, tokens: 0n };
      for (const { leases: of, amounts, used } of calls.values()) {
        if (!of.includes(lease)) continue;
        most.nanodollars += greatest(amounts.nanodollars, used.nanodollars);
        most.tokens += greatest(amounts.tokens, used.tokens);
      }
      return most;
    },
    doubt(sidecar) {
      for (const call of calls.values()) if (call.sidecar === sidecar) call.doubtful = true;
    },
    forget(call) {
      call.forgotten = true;
      add(call, -1n);
      call.charged = { nanodollars: 0n, tokens: 0n };
    },
  };
}

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const greatest = (a: bigint, b: bigint): bigint => (a > b ? a : b);
