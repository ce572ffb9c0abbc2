// How an answer is written anew for the agent, where its dialect says so.

import { judge } from '../contract/rules/judge.ts';
import { agentFacts } from '../contract/rules/subject.ts';
import type { ConditionFacts, Subject } from '../contract/rules.ts';
import type { Answered } from './call.ts';
import type { Rewriter } from './dialects/dialect.ts';

/** Null where the answer's bytes pass as they are. */
export function rewriterOf(answered: Answered): Rewriter | null {
  const { dialect, description, head, answer, upstream } = answered;
  if (!description?.rewritten || !dialect.rewriter) return null;
  return dialect.rewriter({
    upstream: upstream.name,
    upstreamUrl: upstream.url,
    reachedAs: reachedAs(answered),
    description,
    head,
    status: answer.status,
    contentType: answer.header('content-type') ?? '',
    allows: (subject) => allows(answered, subject),
  });
}

/** Whether some rule could allow it: one with a condition on what a call will bring is not weighed yet. */
function allows({ agent, upstream, lineage, startedAtMs }: Answered, subject: Subject): boolean {
  if (agent.mode === 'observe') return true;
  const { kind: _, ...named } = subject;
  const facts = (): ConditionFacts => ({
    call: { ...named, upstream: upstream.name },
    args: {},
    agent: agentFacts(agent.entry, agent.name),
    task: lineage.task,
    cost: 0,
    now: new Date(startedAtMs),
  });
  const { verdict } = judge(agent.rules, [subject], facts);
  return verdict === 'allow' || verdict === 'notify' || verdict === 'ask';
}

function reachedAs({ to, request, upstream }: Answered): string {
  return to.kind === 'url' ? upstream.url : `http://${request.headers.host}/${to.name}`;
}
