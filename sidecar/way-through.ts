// What a CONNECT becomes: a tunnel where a connect rule speaks of its host and port, else an interception, so that the
// requests inside are judged one by one. Nothing is intercepted, and no certificate made, for a host of which no rule
// could open anything: the agent is told so at once, in words, and not by a broken handshake.

import { Refusal } from '../contract/refusals.ts';
import type { Authority } from './accept/authority.ts';
import type { Accepted, AgentIdentity } from './call.ts';
import { declaredAt } from './destination.ts';
import { type Identification, identify } from './stages/identify.ts';

/** `tunnel` goes through the pipeline as a call of its own, where the rule is weighed. */
export type Way = 'tunnel' | 'intercept';

/** Throws Refusal `unknown_agent`, `out_of_scope`. */
export function wayThrough(accepted: Accepted, to: Authority, use: Identification): Way {
  const { agent, policy } = identify(accepted, use);
  const declared = declaredAt(policy.config, to.host, to.port);
  const isRead = declared !== undefined && declared.speaks !== 'http';
  if (!isRead && isTunnelRule(agent, to)) return 'tunnel';
  if (agent.mode === 'observe' || declared || couldOpen(agent, to)) return 'intercept';
  throw new Refusal('out_of_scope', `${to.host}:${to.port} was refused: no rule could open anything there.`, {
    reason: 'no_rule_for_host',
    facts: { target: `${to.host}:${to.port}` },
  });
}

function isTunnelRule({ rules }: AgentIdentity, { host, port }: Authority): boolean {
  const { prohibited, deny, ask, notify, allow } = rules;
  return [prohibited, deny, ask, notify, allow].some((listed) =>
    listed.some(({ matches }) => matches({ kind: 'connect', host, port })),
  );
}

/** In either scheme: which one is spoken shows only once the tunnel is open. */
function couldOpen({ rules: { ask, notify, allow } }: AgentIdentity, { host, port }: Authority): boolean {
  const origins = [`https://${host}:${port}`, `http://${host}:${port}`];
  return [ask, notify, allow].some((listed) =>
    listed.some(({ reaches }) => origins.some((origin) => reaches(origin, false))),
  );
}
