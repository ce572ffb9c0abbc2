// Weighs rules against what a call wants: prohibited > deny > ask > notify > allow > nothing matched = deny. Order never
// matters. Several subjects of one call get the strictest verdict of all. Runs on every call: it only compares.

import { VERDICTS, type Verdict } from '../attributes.ts';
import type { Agent, Config } from '../config/config.ts';
import type { ConditionFacts, Judgement, Rule, RuleSet, Subject } from '../rules.ts';

type Facts<Wanted extends Subject = Subject> = (subject: Wanted) => ConditionFacts;

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
 * No subject at all is denied. `facts` is asked for once for each subject, and only if a condition has to be weighed: two
 * things that one call wants may each have arguments of their own.
 */
export function judge<Wanted extends Subject>(
  rules: RuleSet,
  subjects: readonly Wanted[],
  facts: Facts<Wanted>,
): Judgement {
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
export function judgeOne<Wanted extends Subject>(
  rules: RuleSet,
  subject: Wanted,
  facts: Facts<Wanted>,
): { verdict: Verdict; rule: Rule | null } {
  for (const verdict of VERDICTS) {
    const applies = verdict === 'notify' || verdict === 'allow' ? allows : refuses;
    const unbound = subject.kind === 'tool' && !rules.bindsTools && verdict !== 'prohibited';
    if (unbound) return { verdict: 'allow', rule: null };
    for (const rule of rules[verdict]) if (applies(rule, subject, facts)) return { verdict, rule };
  }
  return { verdict: 'deny', rule: null };
}

/**
 * Whether some call that names this could pass, whatever it brings: what a list may show. A condition under allow, notify
 * or ask might hold, one under prohibited or deny might not.
 */
export function couldAllow(rules: RuleSet, subject: Subject): boolean {
  const closes = (rule: Rule): boolean => rule.when === null && rule.matches(subject);
  if (rules.prohibited.some(closes) || rules.deny.some(closes)) return false;
  return [...rules.ask, ...rules.notify, ...rules.allow].some((rule) => rule.matches(subject));
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
function allows<Wanted extends Subject>(rule: Rule, subject: Wanted, facts: Facts<Wanted>): boolean {
  if (!rule.matches(subject)) return false;
  if (rule.holds === null || isNameless(subject)) return true;
  try {
    return rule.holds(facts(subject));
  } catch {
    return false;
  }
}

/** …and does not let anything slip through. */
function refuses<Wanted extends Subject>(rule: Rule, subject: Wanted, facts: Facts<Wanted>): boolean {
  if (!rule.matches(subject)) return false;
  if (rule.holds === null) return true;
  if (isNameless(subject)) return false;
  try {
    return rule.holds(facts(subject));
  } catch {
    return true;
  }
}

/** What names no tool and no skill has no arguments to weigh either: conditions wait for what does. */
function isNameless(subject: Subject): boolean {
  if (subject.kind === 'mcp') return subject.tool === '';
  return subject.kind === 'a2a' && subject.skill === '';
}

function memoised<Wanted extends Subject>(facts: Facts<Wanted>): Facts<Wanted> {
  let of: Wanted | undefined;
  let known: ConditionFacts | undefined;
  return (subject) => {
    if (known === undefined || of !== subject) known = facts(subject);
    of = subject;
    return known;
  };
}
