// Conditions are CEL, by an existing library that is loaded only when some rule has a `when`: it costs memory that most
// sidecars need not pay. Compiled and checked once; a condition that errors throws, and judge.ts knows what that means.

import type { CelInput, parse } from '@bufbuild/cel';
import type { ConditionFacts, RuleKind } from '../rules.ts';
import { checkWords } from './condition-words.ts';
import { pathWithin } from './path-within.ts';
import { RuleError } from './rule-error.ts';

/** The text after `when` to a predicate. Throws RuleError at load; the predicate throws where the condition errors. */
export type CompileCondition = (text: string, kind: RuleKind) => (facts: ConditionFacts) => boolean;

type Expr = ReturnType<typeof parse>['expr'];

export async function loadConditions(): Promise<CompileCondition> {
  const cel = await import('@bufbuild/cel');
  const { STRING, BOOL } = cel.CelScalar;
  const within = cel.celFunc('path_within', [STRING, STRING], BOOL, pathWithin);
  const env = cel.celEnv({ funcs: [within] });
  const toTimestamp = cel.plan(env, cel.parse('timestamp(text)'));
  const arities = (name: string) =>
    [...(env.funcs.find(name) ?? [])].map((func) => ({
      method: func.target !== undefined,
      arity: func.arguments.length,
    }));

  return (text, kind) => {
    const expr = parseWith(cel.parse, text);
    const used = checkWords(expr, kind, arities);
    if (neverBoolean(expr)) throw new RuleError('the condition is neither true nor false');
    const evaluate = cel.plan(env, expr);
    const now = (date: Date) => toTimestamp({ text: date.toISOString() }) as CelInput;
    return (facts) => {
      const answer = evaluate(bindings(facts, used, now));
      if (typeof answer === 'boolean') return answer;
      throw cel.isCelError(answer) ? answer : new TypeError('the condition is neither true nor false');
    };
  };
}

function parseWith(parser: typeof parse, text: string): Expr {
  if (text === '') throw new RuleError('after "when" comes a condition');
  let expr: Expr;
  try {
    expr = parser(text).expr;
  } catch (failure) {
    const detail = failure instanceof Error ? failure.message.replace(/^<input>:/, '') : 'unreadable';
    throw new RuleError(`the condition is not CEL: ${detail}`);
  }
  return expr;
}

/** Only what is plain to see: a constant, a list, a sum. The rest is checked when it is evaluated. */
function neverBoolean({ exprKind }: Expr): boolean {
  if (exprKind.case === 'constExpr') return exprKind.value.constantKind.case !== 'boolValue';
  if (exprKind.case === 'identExpr') return true;
  if (exprKind.case === 'listExpr' || exprKind.case === 'structExpr') return true;
  return exprKind.case === 'callExpr' && /^_[-+*/%]_$|^size$/.test(exprKind.value.function);
}

type Bindings = Record<string, CelInput>;

function bindings(facts: ConditionFacts, used: ReadonlySet<string>, now: (date: Date) => CelInput): Bindings {
  const bound: Bindings = {};
  for (const word of used) {
    if (word === 'now') bound.now = now(facts.now);
    else bound[word] = toCel(facts[word as Exclude<keyof ConditionFacts, 'now'>]);
  }
  return bound;
}

/**
 * Objects become Maps: the library would read an object's `constructor` or `$typeName`, and arguments are the agent's.
 * Undefined becomes null.
 */
function toCel(value: unknown): CelInput {
  if (Array.isArray(value)) return value.map(toCel);
  if (typeof value === 'object' && value !== null) {
    return new Map(Object.entries(value).map(([key, member]) => [key, toCel(member)]));
  }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return typeof value === 'bigint' ? value : null;
}
