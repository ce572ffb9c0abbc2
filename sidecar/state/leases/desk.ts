// What every till of one sidecar shares: the ports to the world outside, and whether the ledger answers.

import type { LeaseRequest, LeaseResponse } from '../../../contract/budget.ts';
import type { MoneyRules } from '../../../contract/config/config.ts';
import type { Clock } from '../../../kit/clock.ts';
import type { Purse, PurseState } from './purse.ts';
import { stateOf } from './purse.ts';
import type { Stopped } from './stopped.ts';
import { createTill, type Till } from './till.ts';

export interface LeasePorts {
  readonly instance: string;
  /** Read at each use: it may change while calls run. */
  money(): MoneyRules;
  /** Whether a task of the agent has budgets of its own. */
  tasksAreLimited(agent: string): boolean;
  readonly clock: Clock;
  /** Random, different at every call. */
  nonce(): string;
  /** One round trip to the ledger. Rejects when it does not answer. */
  ask(request: LeaseRequest): Promise<LeaseResponse>;
  /** Writes a purse's state to the journal; throws when it cannot, and then the state is not used. */
  record(state: PurseState): void;
  /** The ledger did not answer, or the journal could not be written. */
  unanswered(failure: unknown): void;
  /** The lease is closed, or was never opened: nothing of it need survive. By its id, or by its nonce where it has none. */
  forget(lease: string): void;
}

export interface Desk {
  readonly ports: LeasePorts;
  readonly tills: Map<string, Till>;
  /** The ledger did not answer the last time. */
  failing: boolean;
  /** Tasks that were refused for money, by `agent/task`. */
  readonly stopped: Map<string, Stopped>;
  /** The sidecar stops: nothing more is asked but to take everything back. */
  closing: boolean;
}

export const openDesk = (ports: LeasePorts): Desk => ({
  ports,
  tills: new Map(),
  stopped: new Map(),
  failing: false,
  closing: false,
});

export function tillOf({ tills, ports }: Desk, agent: string): Till {
  let till = tills.get(agent);
  if (!till) {
    till = createTill(agent, ports);
    tills.set(agent, till);
  }
  return till;
}

/** Writes to the journal what of the purse must survive a crash. Throws when it cannot. */
export function recordState({ ports }: Desk, purse: Purse | undefined): void {
  if (purse) ports.record(stateOf(purse));
}
