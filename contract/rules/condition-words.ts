// The words a condition may use, per kind of rule, checked at load: a misspelt field would otherwise be an error on
// every call, and nobody would see why. Walks the syntax tree that the CEL library hands out.

import type { parse } from '@bufbuild/cel';
import { closest } from '../config/closest.ts';
import type { RuleKind } from '../rules.ts';
import { RuleError } from './rule-error.ts';

type Expr = ReturnType<typeof parse>['expr'];

export const FACT_WORDS = ['call', 'args', 'agent', 'task', 'cost', 'now'] as const;

/** What `agent` holds in every condition. */
export const AGENT_WORDS = ['name', 'roles', 'department'] as const;

const MODEL_CALL = ['upstream', 'model', 'method', 'path', 'stream', 'max_output_tokens'] as const;

/** What `call` holds, by the kind of the rule; the stage that judges puts exactly these. */
export const CALL_WORDS = {
  llm: MODEL_CALL,
  tool: MODEL_CALL,
  hosted: MODEL_CALL,
  http: ['upstream', 'method', 'path'],
  mcp: ['upstream', 'tool'],
  a2a: ['upstream', 'skill'],
  connect: ['host', 'port'],
} as const satisfies Record<RuleKind, readonly string[]>;

const TYPE_WORDS = ['bool', 'bytes', 'double', 'int', 'list', 'map', 'null_type', 'string', 'type', 'uint'];
const COMPREHENSIONS_NESTED_MAX = 2;

/** How often a function may be called, by its number of arguments: undefined when there is no such function. */
export type FunctionArities = (
  name: string,
) => readonly { readonly method: boolean; readonly arity: number }[];

/** Throws RuleError for the first word that is not known; returns the fact words in use. */
export function checkWords(expr: Expr, kind: RuleKind, arities: FunctionArities): ReadonlySet<string> {
  const used = new Set<string>();
  visit(expr, { kind, arities, used, bound: new Set(), nested: 0 });
  return used;
}

interface Walk {
  readonly kind: RuleKind;
  readonly arities: FunctionArities;
  readonly used: Set<string>;
  /** Variables of the comprehensions around. */
  readonly bound: ReadonlySet<string>;
  readonly nested: number;
}

function visit(expr: Expr | undefined, walk: Walk): void {
  const node = expr?.exprKind;
  if (!node) return;
  if (node.case === 'identExpr') checkWord(node.value.name, walk);
  if (node.case === 'selectExpr') {
    checkField(node.value.operand, node.value.field, walk);
    visit(node.value.operand, walk);
  }
  if (node.case === 'callExpr') {
    checkCall(node.value.function, node.value.target !== undefined, node.value.args.length, walk);
    for (const part of [node.value.target, ...node.value.args]) visit(part, walk);
  }
  if (node.case === 'listExpr') for (const element of node.value.elements) visit(element, walk);
  if (node.case === 'structExpr') visitStruct(node.value, walk);
  if (node.case === 'comprehensionExpr') visitComprehension(node.value, walk);
}

type Struct = Extract<Expr['exprKind'], { case: 'structExpr' }>['value'];
type Comprehension = Extract<Expr['exprKind'], { case: 'comprehensionExpr' }>['value'];

function visitStruct(struct: Struct, walk: Walk): void {
  if (struct.messageName !== '')
    throw new RuleError(`the condition makes a "${struct.messageName}", which is not known`);
  for (const { keyKind, value } of struct.entries) {
    if (keyKind.case === 'mapKey') visit(keyKind.value, walk);
    visit(value, walk);
  }
}

function visitComprehension(loop: Comprehension, walk: Walk): void {
  const nested = walk.nested + 1;
  if (nested > COMPREHENSIONS_NESTED_MAX) {
    throw new RuleError(
      `a condition nests at most ${COMPREHENSIONS_NESTED_MAX} loops (all, exists, map, filter)`,
    );
  }
  visit(loop.iterRange, { ...walk, nested });
  const bound = new Set([...walk.bound, loop.iterVar, loop.iterVar2, loop.accuVar]);
  const inner = { ...walk, nested, bound };
  for (const part of [loop.accuInit, loop.loopCondition, loop.loopStep, loop.result]) visit(part, inner);
}

function checkWord(name: string, walk: Walk): void {
  if (walk.bound.has(name) || TYPE_WORDS.includes(name)) return;
  if (!FACT_WORDS.some((word) => word === name)) {
    throw new RuleError(
      `a condition knows no "${name}", only ${FACT_WORDS.join(', ')}`,
      closest(name, FACT_WORDS),
    );
  }
  walk.used.add(name);
}

function checkField(operand: Expr | undefined, field: string, walk: Walk): void {
  const name = operand?.exprKind.case === 'identExpr' ? operand.exprKind.value.name : '';
  if (walk.bound.has(name)) return;
  const words: readonly string[] | undefined =
    name === 'call' ? CALL_WORDS[walk.kind] : name === 'agent' ? AGENT_WORDS : undefined;
  if (!words || words.includes(field)) return;
  throw new RuleError(
    `${name} has no "${field}" in a rule of kind ${walk.kind}, only ${words.join(', ')}`,
    closest(field, words),
  );
}

/** Operators (`_==_`, `@in`) are the grammar's own and need no check. */
function checkCall(name: string, method: boolean, count: number, walk: Walk): void {
  if (!/^[a-zA-Z]\w*$/.test(name)) return;
  const known = walk.arities(name);
  if (known.length === 0) throw new RuleError(`a condition knows no function "${name}"`);
  if (!known.some(({ method: isMethod, arity }) => isMethod === method && arity === count)) {
    throw new RuleError(`the function "${name}" is called with the wrong number of arguments`);
  }
}
