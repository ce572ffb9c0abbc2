// Which agent is calling, in which task, on whose behalf? Refuses with `unknown_agent`.

import { Refusal } from '../../contract/refusals.ts';
import { type Accepted, type AgentIdentity, type Identified, type Lineage, learn } from '../call.ts';
import type { Agents } from '../state/agents.ts';

export interface Identification {
  readonly agents: Agents;
  /** Told of every agent that calls. */
  seen(agent: AgentIdentity): void;
  lineageOf(headers: Accepted['request']['headers'], agent: string): Lineage;
}

export function identify(accepted: Accepted, use: Identification): Identified {
  const { headers } = accepted.request;
  const { config } = accepted.policy;
  const agent = accepted.replay
    ? use.agents.named(config, accepted.replay.agent)
    : use.agents.identify(config, headers, accepted.proxyAuthorization);
  if (!agent) throw new Refusal('unknown_agent', 'No agent key that this sidecar knows was presented.');
  use.seen(agent);
  return learn(accepted, { agent, lineage: use.lineageOf(headers, agent.name) });
}
