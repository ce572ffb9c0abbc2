// `<kind> <target> [when <CEL>]`: the text of a rule to the rule. Everything is compiled and checked here, at load, so
// that judging a call is only comparing.

import { closest } from '../config/closest.ts';
import { RULE_KINDS, type Rule, type RuleKind } from '../rules.ts';
import type { CompileCondition } from './condition.ts';
import { RuleError } from './rule-error.ts';
import { compileTarget, type KnownUpstream } from './target.ts';

export interface RuleContext {
  /** From `loadConditions()`; only needed where a rule has a `when`. */
  readonly compileCondition?: CompileCondition | undefined;
  /** With them, a rule that can never match is refused. */
  readonly upstreams?: ReadonlyMap<string, KnownUpstream | undefined> | undefined;
  /** True under prohibited, deny and ask: where allow reads narrowly, these read widely. */
  readonly refuses?: boolean;
}

const RULE_CHARACTERS_MAX = 4096;

/** True when the rule has a condition, so that CEL has to be loaded before it can be parsed. */
export const hasCondition = (text: string): boolean => splitWhen(text.trim())[1] !== null;

/** Throws RuleError with one sentence. */
export function parseRule(text: string, source: Rule['source'], context: RuleContext = {}): Rule {
  if (text.length > RULE_CHARACTERS_MAX)
    throw new RuleError(`a rule has at most ${RULE_CHARACTERS_MAX} characters`);
  const [head, when] = splitWhen(text.trim());
  const [kindText = '', ...words] = head.split(/\s+/);
  const kind = kindOf(kindText);
  const target = words.join(' ');
  if (target === '') throw new RuleError(`the rule "${head}" has no target`);
  const { upstreams, refuses = false, compileCondition } = context;
  const compiled = compileTarget(kind, target, { upstreams, refuses });
  if (when !== null && !compileCondition) throw new RuleError('conditions cannot be read here');
  const holds = when === null || !compileCondition ? null : compileCondition(when, kind);
  return { kind, text: text.trim(), source, when, ...compiled, holds };
}

function kindOf(text: string): RuleKind {
  const kind = RULE_KINDS.find((known) => known === text);
  if (kind) return kind;
  throw new RuleError(`a rule begins with one of ${RULE_KINDS.join(', ')}`, closest(text, RULE_KINDS));
}

/** Targets hold no blanks beside http's one, so the first `when` that stands alone begins the condition. */
function splitWhen(text: string): [head: string, when: string | null] {
  const match = /\swhen(?:\s|$)/.exec(text);
  if (!match) return [text, null];
  return [text.slice(0, match.index), text.slice(match.index + match[0].length).trim()];
}
