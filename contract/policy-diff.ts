// Two policies over the same recorded calls: what would pass or be refused now that was not before, and what is decided
// by another rule. Only rules and modes are weighed: budgets, rates and prices are not a matter of a call alone.

import type { Verdict } from './attributes.ts';
import { type Agent, agentNamed, type Config, modeOf } from './config/config.ts';
import { type RecordedCalls, subjectsOf } from './recorded-calls.ts';
import { judgeOne, ruleSetOf } from './rules/judge.ts';
import { agentFacts, callFacts } from './rules/subject.ts';
import type { ConditionFacts, Rule, RuleSet, Subject } from './rules.ts';

export const CHANGES = ['now_refused', 'now_allowed', 'not_decided', 'other_rule'] as const;
export type Change = (typeof CHANGES)[number];

/** What becomes of a call under one policy. */
export interface Fate {
  /** Null where that hangs on something a record does not keep. */
  readonly passes: boolean | null;
  readonly verdict: Verdict;
  /** The rule that decides, or a sentence where none was asked; null where nothing matched. */
  readonly rule: string | null;
  readonly observing: boolean;
  /** Rules whose conditions a record cannot answer, and that would decide otherwise. */
  readonly open: readonly string[];
}

export interface Changed {
  readonly change: Change;
  readonly seen: RecordedCalls;
  readonly before: Fate;
  readonly after: Fate;
}

/** One entry for each that changes, in the order of `recorded`. */
export function diffPolicies(before: Config, after: Config, recorded: readonly RecordedCalls[]): Changed[] {
  const [old, next] = [judgeOf(before), judgeOf(after)];
  return recorded.flatMap((seen) => {
    const [was, is] = [old(seen), next(seen)];
    const change = was && is ? changeBetween(was, is) : null;
    return was && is && change ? [{ change, seen, before: was, after: is }] : [];
  });
}

function changeBetween(before: Fate, after: Fate): Change | null {
  if (before.passes !== null && after.passes !== null && before.passes !== after.passes)
    return after.passes ? 'now_allowed' : 'now_refused';
  const same =
    before.verdict === after.verdict &&
    before.rule === after.rule &&
    before.open.join('\n') === after.open.join('\n') &&
    before.passes === after.passes;
  if (same) return null;
  return before.passes === null || after.passes === null ? 'not_decided' : 'other_rule';
}

/** Null for a call that no rule was asked about. */
function judgeOf(config: Config): (seen: RecordedCalls) => Fate | null {
  const rules = new Map<Agent, RuleSet>();
  return (seen) => {
    const subjects = subjectsOf(seen);
    if (subjects === null) return null;
    const agent = agentNamed(config, seen.agent);
    if (!agent) return unasked('no such agent');
    const upstream = config.upstreams.get(seen.upstream);
    if (!upstream && subjects.some(isAtUpstream)) return unasked(`no upstream "${seen.upstream}"`);
    const own = rules.get(agent) ?? ruleSetOf(config, agent);
    rules.set(agent, own);
    const observing = modeOf(config, agent) === 'observe';
    const facts = (subject: Subject): ConditionFacts => ({
      call: callFacts(subject, config.upstreams),
      args: {},
      agent: agentFacts(agent, seen.agent),
      task: '',
      cost: 0,
      now: new Date(seen.lastSeen),
    });
    return fateOf(
      own,
      subjects.map((subject) => at(subject, upstream?.url)),
      facts,
      observing,
    );
  };
}

/** The others are told by a name of the agent's own, or by host and port. */
const isAtUpstream = (subject: Subject): boolean =>
  subject.kind === 'http' ? subject.declared : 'upstream' in subject;

const unasked = (rule: string): Fate => ({
  passes: false,
  verdict: 'deny',
  rule,
  observing: false,
  open: [],
});

/** A call goes where its upstream is under this policy, whatever it was when the call was made. */
function at(subject: Subject, url: string | undefined): Subject {
  if (subject.kind !== 'http' || !subject.declared || url === undefined) return subject;
  return { ...subject, url: new URL(url).origin + new URL(subject.url).pathname };
}

const STRICTNESS: readonly Verdict[] = ['prohibited', 'deny', 'ask', 'notify', 'allow'];

function fateOf(
  rules: RuleSet,
  subjects: readonly Subject[],
  facts: (subject: Subject) => ConditionFacts,
  observing: boolean,
): Fate {
  const judged = subjects.map((subject) => {
    const { decided, undecided } = split(rules, subject);
    const { verdict, rule } = judgeOne(decided, subject, () => facts(subject));
    const open = undecided.filter(
      (each) => STRICTNESS.indexOf(each.verdict) < STRICTNESS.indexOf(verdict) || rule === null,
    );
    return { verdict, rule: rule?.text ?? null, open };
  });
  const strictest = judged.reduce((a, b) =>
    STRICTNESS.indexOf(b.verdict) < STRICTNESS.indexOf(a.verdict) ? b : a,
  );
  const open = judged.flatMap((one) => one.open);
  const passing = (verdict: Verdict) =>
    verdict === 'allow' || verdict === 'notify' || (observing && verdict !== 'prohibited');
  const passes = passing(strictest.verdict);
  const certain = open.every(({ verdict }) => passing(verdict) === passes);
  return {
    passes: certain ? passes : null,
    verdict: strictest.verdict,
    rule: strictest.rule,
    observing,
    open: open.map(({ rule }) => rule.text),
  };
}

/** What a record keeps answers conditions on these words alone. */
const UNKNOWN = /(?<![.\w"'])(?:args|task|cost|now)\b|\bcall\.stream\b/;

/** Rules without those whose condition hangs on what is not known, and those that reach the subject. */
function split(
  rules: RuleSet,
  subject: Subject,
): { decided: RuleSet; undecided: readonly { verdict: Verdict; rule: Rule }[] } {
  const isOpen = (rule: Rule): boolean => rule.when !== null && UNKNOWN.test(rule.when);
  const undecided = STRICTNESS.flatMap((verdict) =>
    rules[verdict].filter((rule) => isOpen(rule) && rule.matches(subject)).map((rule) => ({ verdict, rule })),
  );
  if (undecided.length === 0) return { decided: rules, undecided };
  const known = (verdict: Verdict) => rules[verdict].filter((rule) => !isOpen(rule));
  const decided = {
    prohibited: known('prohibited'),
    deny: known('deny'),
    ask: known('ask'),
    notify: known('notify'),
    allow: known('allow'),
    bindsTools: rules.bindsTools,
  };
  return { decided, undecided };
}
