// The read-only wall. A stranger's statement runs only after the engine itself has parsed it and every node of the tree
// is one that may be there. `readonly=1`, which holds behind this wall too, is not enough alone: reading files,
// INTO OUTFILE and dialling out are all reads to it.
//
//   text -> formatQuery: one statement, canonical -> FORMAT and SETTINGS off -> its words -> EXPLAIN AST -> each node on
//   the list -> run, with the settings that may be
//
// What is judged is what runs: the canonical text, never the client's own. EXPLAIN AST comes after the output clause is
// ruled out, because the engine would take that clause as EXPLAIN's and write the file.

import type { Session } from 'chdb';
import { quoted } from '../sql-text.ts';
import { EXPLAIN_KINDS, FIRST_WORDS, NODES, ROOTS, SYSTEM_TABLES } from './allowed.ts';
import { run, StatementFailure } from './engine.ts';
import type { FunctionList } from './functions.ts';
import { judgeName, judgeTable } from './names.ts';
import { isPlainStructure } from './structure.ts';
import { type Cut, cutTail, unquoted } from './tail.ts';
import { WallRefusal } from './wall-refusal.ts';
import { judgeWords } from './words.ts';

/** `body` is the canonical statement without the clauses behind it; its settings are yet to be judged. */
export interface Judged extends Cut {
  readonly isSelect: boolean;
  /** Drivers read there, before anything else, which settings they may send. */
  readonly readsSettings: boolean;
}

/** Throws WallRefusal, or StatementFailure where the text does not parse. */
export async function judge(session: Session, statement: string, functions: FunctionList): Promise<Judged> {
  if (statement.includes('\0')) throw new WallRefusal('A NUL may not stand in a statement');
  const cut = cutTail(await canonical(session, statement));
  const word = /^\(*([A-Z]+)/.exec(cut.body)?.[1] ?? '';
  if (!(FIRST_WORDS as readonly string[]).includes(word))
    throw new WallRefusal(`Only ${FIRST_WORDS.join(', ')} may run here, not ${word || 'this'}`);
  judgeWords(cut.body, functions);
  const tree = parseTree(await text(session, `EXPLAIN AST ${cut.body}`));
  judgeTree(tree, functions);
  return {
    ...cut,
    isSelect: tree[0]!.label.startsWith('Select'),
    readsSettings: tree.some(({ label }) => label === 'TableIdentifier system.settings'),
  };
}

/**
 * One expression, as it may stand in a setting; canonical. Throws as `judge` does.
 */
export async function judgeExpression(
  session: Session,
  expression: string,
  functions: FunctionList,
): Promise<string> {
  const { body, format, settings } = await judge(session, `SELECT ${expression}`, functions);
  const tree = parseTree(await text(session, `EXPLAIN AST ${body}`));
  // Union, its list, one SELECT, its list, the expression: any clause more would be another node.
  const isOne = tree.filter(({ depth }) => depth <= 4).length === 5;
  if (!isOne || format !== null || settings.size > 0)
    throw new WallRefusal('A filter must be one expression');
  return body.slice('SELECT '.length);
}

/** Throws StatementFailure in the client's own terms: the engine would tell of a statement that the client never sent. */
async function canonical(session: Session, statement: string): Promise<string> {
  try {
    return await text(session, `SELECT formatQuerySingleLine(${quoted(statement)})`);
  } catch (failure) {
    if (!(failure instanceof StatementFailure)) throw failure;
    const own = /[. ]*: In scope SELECT formatQuerySingleLine\([\s\S]*\)(?=\. \()/;
    throw new StatementFailure(failure.code, failure.message.replace(own, ''));
  }
}

async function text(session: Session, statement: string): Promise<string> {
  const { bytes } = await run(session, statement, 'TSVRaw');
  return Buffer.from(bytes).toString('utf8').trimEnd();
}

export interface TreeNode {
  readonly depth: number;
  readonly label: string;
  /** The label of the node that holds this one; '' for the root. */
  readonly parent: string;
}

/** EXPLAIN AST prints a node a line, one space deeper than its parent. */
function parseTree(printed: string): TreeNode[] {
  const path: string[] = [];
  return printed.split('\n').map((line) => {
    const depth = line.length - line.trimStart().length;
    const label = line.trim().replace(/(?: \(children \d+\)| \(alias .*\))+$/, '');
    path.length = depth;
    path[depth] = label;
    return { depth, label, parent: path[depth - 1] ?? '' };
  });
}

function judgeTree(tree: readonly TreeNode[], functions: FunctionList): void {
  const [root, ...nodes] = tree;
  if (!root || !ROOTS.some((name) => root.label === name || root.label.startsWith(`${name} `)))
    throw new WallRefusal(`A statement of kind ${root?.label ?? 'nothing'} may not run here`);
  if (root.label.startsWith('Explain')) judgeExplain(root);
  for (const [at, node] of nodes.entries()) {
    if (node.label === 'Set') judgeSettings(node);
    else judgeNode(node, functions);
    if (node.label === 'Function values') judgeValues(nodes[at + 2], functions);
  }
}

/**
 * The first argument may be a table's structure, as text. An identifier could stand for such a text, so there is either
 * a literal, or a row.
 */
function judgeValues(first: TreeNode | undefined, functions: FunctionList): void {
  const label = first?.label ?? '';
  const text = label.startsWith("Literal '") ? unquoted(label.slice('Literal '.length)) : null;
  const may =
    text === null
      ? /^(Literal [^']|Function (tuple|array)$)/.test(label)
      : /^\w*$/.test(text) || isPlainStructure(text, functions.isType);
  if (!may)
    throw new WallRefusal('The first argument of values is a row, e.g. (1, 2), or a list of names and types');
}

/**
 * EXPLAIN's own options are Set nodes too. Any other SETTINGS clause is refused here, because the engine checks only the
 * outermost one against `readonly` and lets a subquery's pass.
 */
function judgeSettings(node: TreeNode): void {
  if (node.parent.startsWith('Explain ')) return;
  throw new WallRefusal('SETTINGS may only stand at the end of a statement here');
}

function judgeExplain(root: TreeNode): void {
  const kind = root.label.slice('Explain '.length).trim();
  if (!(EXPLAIN_KINDS as readonly string[]).includes(kind)) throw new WallRefusal(`${kind} may not run here`);
}

function judgeNode({ depth, label, parent }: TreeNode, functions: FunctionList): void {
  const space = label.indexOf(' ');
  const kind = space < 0 ? label : label.slice(0, space);
  const name = space < 0 ? '' : label.slice(space + 1);
  if (kind === 'Function') judgeFunction(name, parent, functions);
  else if (!NODES.has(kind)) throw new WallRefusal(`${kind} may not be used here`);
  if (kind === 'Identifier') judgeName(name);
  if (kind === 'TableIdentifier') judgeTable(name);
  if (kind === 'Identifier' || kind === 'TableIdentifier') judgeSystem(name);
  if (kind === 'Literal' && depth === 1) throw new WallRefusal('An output clause may not be used here');
}

function judgeFunction(name: string, parent: string, functions: FunctionList): void {
  const may = parent === 'TableExpression' ? functions.isTable(name) : functions.has(name);
  if (!may) throw new WallRefusal(`The function ${name} may not be used here`);
}

/** What `system` tells is rationed. */
function judgeSystem(name: string): void {
  const table = /^system\.(\w+)/i.exec(name)?.[1];
  if (table !== undefined && !SYSTEM_TABLES.has(table))
    throw new WallRefusal(`system.${table} may not be read here`);
}
