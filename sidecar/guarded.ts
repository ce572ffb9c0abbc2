// What circuits guard, by name: an agent's calls of an upstream, and everybody's calls of one of its models or tools here.

import type { Description } from './dialects/dialect.ts';

export function circuitKeys(agent: string, upstream: string, description: Description | undefined): string[] {
  const keys = [agentKey(agent, upstream)];
  if (description?.model) keys.push(targetKey(upstream, description.model));
  for (const { method, name } of description?.acts ?? [])
    if (method === 'tools/call') keys.push(targetKey(upstream, name));
  return keys;
}

export const agentKey = (agent: string, upstream: string): string => `agent ${agent} to ${upstream}`;
export const targetKey = (upstream: string, name: string): string => `${upstream}/${name}`;
