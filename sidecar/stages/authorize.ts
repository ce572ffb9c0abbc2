// May this agent do that? Weighs the rules over everything the call wants: the model, the tools it offers, the tools it
// asks the provider to run. Refuses with `prohibited`, `out_of_scope`, `approval_needed`, `rate_limited`.

import { speaksLlm, type Verdict } from '../../contract/attributes.ts';
import { Refusal } from '../../contract/refusals.ts';
import { judge } from '../../contract/rules/judge.ts';
import { agentFacts } from '../../contract/rules/subject.ts';
import type { ConditionFacts, Judgement, Subject } from '../../contract/rules.ts';
import { type Authorized, type Classified, learn, noteRefusal } from '../call.ts';
import type { Rates } from '../state/rates.ts';

export interface Authorization {
  readonly rates: Rates;
  now(): Date;
}

export function authorize(classified: Classified, use: Authorization): Authorized {
  const judgement = judgementOf(classified, use);
  const authorized = learn(classified, { judgement });
  if (classified.agent.mode === 'enforce' || judgement.verdict === 'prohibited') admit(authorized, use);
  else observe(authorized, use);
  return authorized;
}

function admit({ judgement, agent }: Authorized, use: Authorization): void {
  refuseUnless(judgement);
  if (agent.requests) use.rates.count(agent.name, agent.requests);
}

function observe(authorized: Authorized, use: Authorization): void {
  try {
    admit(authorized, use);
  } catch (failure) {
    if (!(failure instanceof Refusal)) throw failure;
    noteRefusal(authorized, failure.code);
  }
}

function judgementOf(call: Classified, use: Authorization): Judgement {
  const { endpoint, description, upstream, agent } = call;
  if (speaksLlm(upstream.speaks) && endpoint?.billed !== 'free' && !description?.model) {
    return { verdict: 'deny', rule: null, target: `${call.method} ${upstream.url}${call.path}` };
  }
  const judgement = judge(agent.rules, subjectsOf(call), () => factsOf(call, use));
  return speaksLlm(upstream.speaks) && endpoint?.billed === 'free'
    ? { ...judgement, target: `${upstream.name}/${endpoint.name}` }
    : judgement;
}

function subjectsOf({ upstream, description, method, head }: Classified): Subject[] {
  if (upstream.speaks === 'http') {
    return [
      { kind: 'http', method, url: new URL(upstream.url).origin + head.path, declared: upstream.declared },
    ];
  }
  // A side endpoint names no model: any rule that opens some model of the upstream opens it.
  const subjects: Subject[] = [{ kind: 'llm', upstream: upstream.name, model: description?.model ?? '' }];
  for (const name of description?.toolsOffered ?? []) subjects.push({ kind: 'tool', name });
  for (const type of description?.hostedTools ?? [])
    subjects.push({ kind: 'hosted', upstream: upstream.name, type });
  return subjects;
}

function factsOf(
  { agent, lineage, upstream, description, json, method, head }: Classified,
  use: Authorization,
): ConditionFacts {
  return {
    call: {
      upstream: upstream.name,
      model: description?.model ?? '',
      method,
      path: head.path,
      stream: description?.stream ?? false,
    },
    args: json ?? {},
    agent: agentFacts(agent.entry, agent.name),
    task: lineage.task,
    cost: 0,
    now: use.now(),
  };
}

const REFUSALS_OF: Readonly<Partial<Record<Verdict, 'prohibited' | 'out_of_scope' | 'approval_needed'>>> = {
  prohibited: 'prohibited',
  deny: 'out_of_scope',
  ask: 'approval_needed',
};

function refuseUnless({ verdict, rule, target }: Judgement): void {
  const code = REFUSALS_OF[verdict];
  if (!code) return;
  const why = rule === null ? 'no rule allows it' : `the rule "${rule}" says ${verdict}`;
  throw new Refusal(code, `${target} was refused: ${why}.`, { facts: { target, rule } });
}
