// Modes the collector put in force for a while, by agent. Each ends here by this process's own clock, so an order to
// observe is never in force longer than it was confirmed for. Nothing of it is kept: after a start without a collector
// the config's mode holds.

import type { Mode } from '../../contract/attributes.ts';
import type { ModeInForce } from '../../contract/mode.ts';
import type { Clock } from '../../kit/clock.ts';

export interface Modes {
  /** Null takes the order back. True when the agent's mode may be another now. */
  learn(agent: string, inForce: ModeInForce): boolean;
  /** Undefined where the config's mode holds. */
  of(agent: string): Mode | undefined;
}

const AGENTS_MAX = 10_000;

export function createModes(clock: Clock): Modes {
  const orders = new Map<string, { readonly mode: Mode; readonly endsMs: number }>();

  const of = (agent: string): Mode | undefined => {
    if (orders.size === 0) return undefined;
    const order = orders.get(agent);
    if (!order) return undefined;
    if (clock.monotonicMs() < order.endsMs) return order.mode;
    orders.delete(agent);
    return undefined;
  };

  return {
    learn(agent, inForce) {
      const before = of(agent);
      if (inForce === null) orders.delete(agent);
      else if (orders.size < AGENTS_MAX || orders.has(agent)) {
        const endsMs =
          inForce.ms_left === null ? Number.POSITIVE_INFINITY : clock.monotonicMs() + inForce.ms_left;
        orders.set(agent, { mode: inForce.mode, endsMs });
      }
      return of(agent) !== before;
    },
    of,
  };
}
