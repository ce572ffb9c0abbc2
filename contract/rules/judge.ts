// Weighs rules against what a call wants: prohibited > deny > ask > notify > allow > nothing matched = deny. Order never
// matters. Several subjects of one call get the strictest verdict of all. Runs on every call: it only compares.

import { VERDICTS, type Verdict } from '../attributes.ts';
import type { Agent, Config } from '../config/config.ts';
import type { ConditionFacts, Judgement, Rule, RuleSet, Subject } from '../rules.ts';

type Facts = () => ConditionFacts;

/** The rules in force for an agent: the fleet's prohibitions and those of all its roles. Made once per agent. */
export function ruleSetOf(config: Config, agent: Agent): RuleSet {
  const roles = agent.roles.flatMap((name) => config.roles.get(name) ?? []);
  const own = {
    deny: roles.flatMap((role) => role.deny),
    ask: roles.flatMap((role) => role.ask),
    notify: roles.flatMap((role) => role.notify),
    allow: roles.flatMap((role) => role.allow),
  };
  const bindsTools = Object.values(own).some((rules) => rules.some(({ kind }) => kind === 'tool'));
  return { prohibited: config.prohibited, ...own, bindsTools };
}

/**
 * The strictest verdict over all subjects, with the rule and target that decided; among equals the first subject's.
 * No subject at all is denied. `facts` is asked for once, and only if a condition has to be weighed.
 */
export function judge(rules: RuleSet, subjects: readonly Subject[], facts: Facts): Judgement {
  const once = memoised(facts);
  let strictest: Judgement | undefined;
  for (const subject of subjects) {
    const { verdict, rule } = judgeOne(rules, subject, once);
    if (strictest && !isStricter(verdict, strictest.verdict)) continue;
    strictest = { verdict, rule: rule?.text ?? null, target: targetOf(subject) };
    if (verdict === 'prohibited') break;
  }
  return strictest ?? { verdict: 'deny', rule: null, target: '' };
}

/** The verdict on one subject with the whole rule, for those who explain. */
export function judgeOne(
  rules: RuleSet,
  subject: Subject,
  facts: Facts,
): { verdict: Verdict; rule: Rule | null } {
  for (const verdict of VERDICTS) {
    const applies = verdict === 'notify' || verdict === 'allow' ? allows : refuses;
    const unbound = subject.kind === 'tool' && !rules.bindsTools && verdict !== 'prohibited';
    if (unbound) return { verdict: 'allow', rule: null };
    for (const rule of rules[verdict]) if (applies(rule, subject, facts)) return { verdict, rule };
  }
  return { verdict: 'deny', rule: null };
}

/** As records and refusals show it: `openai/gpt-5-mini`, `GET https://…`, `tool shell`. */
export function targetOf(subject: Subject): string {
  switch (subject.kind) {
    case 'llm':
      return `${subject.upstream}/${subject.model}`;
    case 'http':
      return `${subject.method} ${subject.url}`;
    case 'mcp':
      return `${subject.upstream}/${subject.tool}`;
    case 'a2a':
      return `${subject.upstream}/${subject.skill}`;
    case 'tool':
      return `tool ${subject.name}`;
    case 'hosted':
      return `hosted ${subject.upstream}/${subject.type}`;
    case 'connect':
      return `${subject.host}:${subject.port}`;
  }
}

/** VERDICTS stand in order, the strictest first. */
const isStricter = (verdict: Verdict, than: Verdict): boolean =>
  VERDICTS.indexOf(verdict) < VERDICTS.indexOf(than);

/** A condition that errors does not open anything… */
function allows(rule: Rule, subject: Subject, facts: Facts): boolean {
  if (!rule.matches(subject)) return false;
  try {
    return rule.holds === null || rule.holds(facts());
  } catch {
    return false;
  }
}

/** …and does not let anything slip through. */
function refuses(rule: Rule, subject: Subject, facts: Facts): boolean {
  if (!rule.matches(subject)) return false;
  try {
    return rule.holds === null || rule.holds(facts());
  } catch {
    return true;
  }
}

function memoised(facts: Facts): Facts {
  let known: ConditionFacts | undefined;
  return () => {
    known ??= facts();
    return known;
  };
}
