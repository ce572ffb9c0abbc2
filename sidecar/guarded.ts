// What circuits and throttles guard, by name: an agent's calls of an upstream, everybody's calls of one of its models or
// tools here, and what a provider limits.

import type { Upstream } from '../contract/config/config.ts';
import type { AgentIdentity } from './call.ts';
import type { Description } from './dialects/dialect.ts';
import type { Limited } from './state/throttles.ts';

export function circuitKeys(agent: string, upstream: string, description: Description | undefined): string[] {
  const keys = [agentKey(agent, upstream)];
  if (description?.model) keys.push(targetKey(upstream, description.model));
  for (const { method, name } of description?.acts ?? [])
    if (method === 'tools/call') keys.push(targetKey(upstream, name));
  return keys;
}

export const agentKey = (agent: string, upstream: string): string => `agent ${agent} to ${upstream}`;
export const targetKey = (upstream: string, name: string): string => `${upstream}/${name}`;

interface Asking {
  readonly agent: AgentIdentity;
  readonly upstream: Upstream;
  readonly description: Pick<Description, 'model'> | undefined;
  readonly policy: { readonly digest: string };
}

/** Whose limit a call counts against: it is a credential's, the agent's own where it sends one itself. */
export function limitedOf({ agent, upstream, description, policy }: Asking): Limited {
  const credential = agent.entry.credentials.get(upstream.name) ?? upstream.credential ?? '';
  return {
    credential: credential === 'agent' ? `agent ${agent.name}` : credential,
    upstream: upstream.name,
    model: description?.model ?? '',
    policy: policy.digest,
  };
}
