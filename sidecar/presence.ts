// Tells the collector that this instance lives, for every agent that was seen here, and hears what it calls back.

import { HEARTBEAT_MS } from '../contract/budget.ts';
import type { Clock } from '../kit/clock.ts';
import { type Log, sentenceOf } from '../kit/log.ts';
import type { AgentIdentity } from './call.ts';
import type { ControlPlane } from './edges/control-plane.ts';

export interface Presence {
  /** Cheap when the agent is known already. */
  seen(agent: AgentIdentity): void;
  stop(): void;
}

export function createPresence(use: {
  readonly control: ControlPlane;
  readonly policy: string;
  readonly clock: Clock;
  readonly log: Log;
  healthy(): boolean;
  recall(lease: string): void;
}): Presence {
  const agents = new Map<string, AgentIdentity>();
  let stopped = false;
  let lastFailure = '';

  const beat = async ({ name, instance, mode }: AgentIdentity): Promise<void> => {
    const health = use.healthy() ? ('ok' as const) : ('degraded' as const);
    try {
      await use.control.heartbeat({ name, instance, mode, health, policy: use.policy });
      lastFailure = '';
    } catch (failure) {
      const sentence = sentenceOf(failure);
      if (sentence !== lastFailure) use.log.info('heartbeat.unanswered', { agent: name, failure: sentence });
      lastFailure = sentence;
    }
  };

  const keepBeating = (): void => {
    if (stopped) return;
    for (const agent of agents.values()) void beat(agent);
    use.clock.after(HEARTBEAT_MS, keepBeating);
  };
  use.clock.after(HEARTBEAT_MS, keepBeating);

  return {
    seen(agent) {
      if (agents.has(agent.name)) return;
      agents.set(agent.name, agent);
      void beat(agent);
      use.control.follow(agent.name, agent.instance, ({ lease }) => use.recall(lease));
    },
    stop() {
      stopped = true;
    },
  };
}
