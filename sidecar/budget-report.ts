// GET /v1/budget: what an agent may still spend, at every level of its path, so that it can plan. It is as fresh as the
// last exchange with the ledger, says how old that is, and needs no collector to answer.

import type { BudgetLevel } from '../contract/budget.ts';
import type { Amounts } from '../contract/money.ts';
import { plus } from '../contract/money.ts';
import { sinceOf } from './state/leases/outlook.ts';
import { type Purse, roomOf } from './state/leases/purse.ts';

/** Amounts in nanodollars, or tokens where `unit` says so, as decimal strings. */
export interface BudgetReport {
  readonly ledger: 'reachable' | 'unreachable';
  readonly budgets: readonly ReportedLevel[];
  readonly slices: readonly Slice[];
}

/** `limit`, `posted` and `held` (slices of all sidecars) are the ledger's, as of then. */
export interface ReportedLevel extends BudgetLevel {
  readonly agent: string;
  readonly task?: string;
  /** Limit less posted, less what was spent since then and is held by calls in flight here. Never below zero. */
  readonly remaining: string;
  readonly as_of: string;
  readonly age_seconds: number;
}

export interface Slice {
  readonly scope: string;
  readonly agent: string;
  readonly task?: string;
  readonly posted: string;
  readonly held: string;
  /** Null where no budget limits the unit. */
  readonly room: string | null;
  readonly room_tokens: string | null;
  readonly expires_at: string;
}

export function budgetReport(purses: Iterable<Purse>, unreachable: boolean, nowMs: number): BudgetReport {
  const all = [...purses];
  return {
    ledger: unreachable ? 'unreachable' : 'reachable',
    budgets: latest(all).flatMap((purse) => levelsOf(purse, spentSince(purse, all), nowMs)),
    slices: all.filter(({ lease }) => lease !== null).map(sliceOf),
  };
}

/** One for each agent and each of its tasks; an offline slice draws on the same accounts as its agent's. */
function latest(purses: readonly Purse[]): Purse[] {
  const found = new Map<string, Purse>();
  for (const purse of purses) {
    const key = `${purse.agent}/${purse.task}`;
    if (purse.scope !== 'offline' && purse.outlook && !found.has(key)) found.set(key, purse);
  }
  return [...found.values()];
}

function spentSince(purse: Purse, all: readonly Purse[]): Amounts {
  if (purse.scope !== 'agent') return sinceOf(purse);
  return plus(
    sinceOf(purse),
    sinceOf(all.find(({ scope, agent }) => scope === 'offline' && agent === purse.agent)),
  );
}

function levelsOf({ agent, task, outlook }: Purse, since: Amounts, nowMs: number): ReportedLevel[] {
  if (!outlook) return [];
  const { atMs, levels } = outlook;
  return levels.map((level) => {
    const left = BigInt(level.limit) - BigInt(level.posted) - since[level.unit];
    return {
      agent,
      ...(task ? { task } : {}),
      ...level,
      remaining: (left > 0n ? left : 0n).toString(),
      as_of: new Date(atMs).toISOString(),
      age_seconds: Math.max(0, Math.round((nowMs - atMs) / 1000)),
    };
  });
}

function sliceOf(purse: Purse): Slice {
  const room = roomOf(purse);
  return {
    scope: purse.scope,
    agent: purse.agent,
    ...(purse.task ? { task: purse.task } : {}),
    posted: purse.posted.nanodollars.toString(),
    held: purse.held.nanodollars.toString(),
    room: purse.unlimited.nanodollars ? null : room.nanodollars.toString(),
    room_tokens: purse.unlimited.tokens ? null : room.tokens.toString(),
    expires_at: new Date(purse.expiresAtMs).toISOString(),
  };
}
