// What would happen to a call that is only described, e.g. `llm openai/gpt-5-mini`, without making it.

import type { Config } from '../contract/config/config.ts';
import { judge } from '../contract/rules/judge.ts';
import { agentFacts, callFacts, parseSubject } from '../contract/rules/subject.ts';
import type { Judgement } from '../contract/rules.ts';
import type { Clock } from '../kit/clock.ts';
import { agentAlone } from './state/agents.ts';

/** Throws an Error with a sentence for a rule it cannot read or an agent it does not know. */
export function explain(config: Config, agent: string, rule: string, clock: Clock): Judgement {
  const identity = agentAlone(config, agent, '');
  const subject = parseSubject(rule, config.upstreams);
  return judge(identity.rules, [subject], () => ({
    call: callFacts(subject, config.upstreams),
    args: {},
    agent: agentFacts(identity.entry, agent),
    task: '',
    cost: 0,
    now: new Date(clock.nowMs()),
  }));
}
