// What would happen to a call that is only described, e.g. `llm openai/gpt-5-mini`, without making it: what the rules say,
// and whether its upstream is being left alone just now.

import type { Config } from '../contract/config/config.ts';
import { judge } from '../contract/rules/judge.ts';
import { agentFacts, callFacts, parseSubject } from '../contract/rules/subject.ts';
import type { Judgement, Subject } from '../contract/rules.ts';
import type { Clock } from '../kit/clock.ts';
import type { AgentIdentity } from './call.ts';
import { agentKey, limitedOf, targetKey } from './guarded.ts';
import type { Admission } from './stages/break-circuit.ts';
import { agentAlone } from './state/agents.ts';

export interface Explanation extends Judgement {
  /** Null where a call that is allowed would go. */
  readonly stopped_by: StoppedBy | null;
}

export interface StoppedBy {
  readonly reason: 'circuit_open' | 'upstream_throttled' | 'provider_quota';
  /** The circuit, or the upstream and model. */
  readonly what: string;
  readonly retry_after_seconds: number;
}

/** Throws an Error with a sentence for a rule it cannot read or an agent it does not know. */
export function explain(
  config: Config,
  agent: string,
  rule: string,
  clock: Clock,
  admission: Admission,
): Explanation {
  const identity = agentAlone(config, agent, '');
  const subject = parseSubject(rule, config.upstreams);
  const judgement = judge(identity.rules, [subject], () => ({
    call: callFacts(subject, config.upstreams),
    args: {},
    agent: agentFacts(identity.entry, agent),
    task: '',
    cost: 0,
    now: new Date(clock.nowMs()),
  }));
  return { ...judgement, stopped_by: stoppedBy(config, identity, subject, admission) };
}

function stoppedBy(
  config: Config,
  agent: AgentIdentity,
  subject: Subject,
  { circuits, throttles }: Admission,
): StoppedBy | null {
  const upstream = 'upstream' in subject ? config.upstreams.get(subject.upstream) : undefined;
  if (!upstream) return null;
  const name = 'model' in subject ? subject.model : 'tool' in subject ? subject.tool : '';
  const keys = [agentKey(agent.name, upstream.name), targetKey(upstream.name, name)];
  const open = circuits.stopping(keys);
  if (open) return { reason: 'circuit_open', what: open.key, retry_after_seconds: seconds(open.waitMs) };
  const model = 'model' in subject ? subject.model : '';
  const limited = limitedOf({ agent, upstream, description: { model }, policy: { digest: config.digest } });
  const held = throttles.stopping(limited);
  if (!held) return null;
  const what = model === '' || held.spent ? upstream.name : targetKey(upstream.name, model);
  const reason = held.spent ? 'provider_quota' : 'upstream_throttled';
  return { reason, what, retry_after_seconds: seconds(held.waitMs) };
}

const seconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1000));
