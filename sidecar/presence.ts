// Tells the collector that this instance lives, for every agent that was seen here, and hears what it calls back
// and in which mode each is.

import type { Mode } from '../contract/attributes.ts';
import { HEARTBEAT_MS, type WaitingTask } from '../contract/budget.ts';
import { agentNamed, type Config, modeOf } from '../contract/config/config.ts';
import type { ModeInForce } from '../contract/mode.ts';
import type { Clock } from '../kit/clock.ts';
import { type Log, sentenceOf } from '../kit/log.ts';
import type { Book } from './book.ts';
import type { AgentIdentity } from './call.ts';
import type { ControlPlane } from './edges/control-plane.ts';
import type { Modes } from './state/modes.ts';

export interface Presence {
  /** Cheap when the agent is known already. */
  seen(agent: AgentIdentity): void;
  /** Says now what is new: the config was replaced. */
  again(): void;
  stop(): void;
}

export function createPresence(use: {
  readonly control: ControlPlane;
  /** The one in force. */
  config(): Config;
  readonly modes: Modes;
  readonly clock: Clock;
  readonly log: Log;
  readonly book: Pick<Book, 'stream' | 'began' | 'leave'>;
  healthy(): boolean;
  recall(lease: string): void;
  /** What of the agent waits for money. */
  waiting(agent: string): readonly WaitingTask[];
  /** The collector answered for this agent. */
  answered(agent: string, instance: string): void;
  /** The revision of the pinned tools, in an answer or an event. */
  toolsAt(agent: string, revision: number | undefined): void;
  /** The same of what is in quarantine. */
  quarantineAt(revision: number | undefined): void;
  /** Something waits to be replayed for this agent. */
  replays(agent: string, instance: string): void;
}): Presence {
  const agents = new Map<string, AgentIdentity>();
  let stopped = false;
  let lastFailure = '';
  /** The stream whose beginning the collector has heard of. */
  let heardOf = '';

  /** An answer that was under way while an event came may be older than it: the event holds. */
  const heard = new Map<string, number>();

  const beat = async ({ name, instance }: AgentIdentity): Promise<void> => {
    const health = use.healthy() ? ('ok' as const) : ('degraded' as const);
    const mode = modeInForce(name);
    const before = heard.get(name);
    try {
      const policy = use.config().digest;
      const waiting = use.waiting(name);
      const { stream, began } = use.book;
      const answer = await use.control.heartbeat({
        name,
        instance,
        mode,
        health,
        policy,
        stream,
        ...(waiting.length > 0 ? { waiting } : {}),
        ...(began && heardOf !== stream ? { began } : {}),
      });
      heardOf = stream;
      if (answer.leave_stream) leave(stream);
      const { mode: inForce, tools, quarantine, replays } = answer;
      use.quarantineAt(quarantine);
      if (inForce !== undefined && heard.get(name) === before) learn(name, inForce);
      lastFailure = '';
      use.toolsAt(name, tools);
      if (replays) use.replays(name, instance);
      use.answered(name, instance);
    } catch (failure) {
      const sentence = sentenceOf(failure);
      if (sentence !== lastFailure) use.log.info('heartbeat.unanswered', { agent: name, failure: sentence });
      lastFailure = sentence;
    }
  };

  /** Several agents' heartbeats are answered alike: the stream is left once. */
  const leave = (stream: string): void => {
    if (use.book.stream !== stream) return;
    use.log.error('chain.forked', { stream, next: 'another stream begins' });
    use.book.leave();
  };

  const modeInForce = (name: string): Mode => {
    const config = use.config();
    const entry = agentNamed(config, name);
    return use.modes.of(name) ?? (entry ? modeOf(config, entry) : config.mode);
  };

  /** Said back at once, so that the list of agents shows what holds. */
  const learn = (name: string, inForce: ModeInForce): void => {
    const agent = agents.get(name);
    if (!agent || stopped || !use.modes.learn(name, inForce)) return;
    use.log.warn('mode.changed', { agent: name, mode: modeInForce(name) });
    void beat(agent);
  };

  const again = (): void => {
    for (const agent of agents.values()) void beat(agent);
  };

  const keepBeating = (): void => {
    if (stopped) return;
    again();
    use.clock.after(HEARTBEAT_MS, keepBeating);
  };
  use.clock.after(HEARTBEAT_MS, keepBeating);

  return {
    seen(agent) {
      if (agents.has(agent.name)) return;
      agents.set(agent.name, agent);
      void beat(agent);
      use.control.follow(agent.name, agent.instance, {
        recall: ({ lease }) => use.recall(lease),
        mode({ agent: name, in_force }) {
          heard.set(name, (heard.get(name) ?? 0) + 1);
          learn(name, in_force);
        },
        tools: ({ revision }) => use.toolsAt(agent.name, revision),
        quarantine: ({ revision }) => use.quarantineAt(revision),
        replay: () => use.replays(agent.name, agent.instance),
      });
    },
    again,
    stop() {
      stopped = true;
    },
  };
}
