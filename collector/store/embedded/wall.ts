// The read-only wall. A stranger's statement runs only after the engine itself has parsed it and every node of the tree
// is one that may be there. `readonly=1`, which holds behind this wall too, is not enough alone: reading files,
// INTO OUTFILE and dialling out are all reads to it.
//
//   text -> formatQuery: one statement, canonical -> no INTO OUTFILE -> EXPLAIN AST -> each node on the list -> run
//
// What is judged is what runs: the canonical text, never the client's own. EXPLAIN AST comes after the output clause is
// ruled out, because the engine would take that clause as EXPLAIN's and write the file.

import type { Session } from 'chdb';
import { quoted } from '../sql-text.ts';
import { EXPLAIN_KINDS, FIRST_WORDS, NODES, ROOTS, SYSTEM_TABLES, TABLE_FUNCTIONS } from './allowed.ts';
import { run } from './engine.ts';
import type { FunctionList } from './functions.ts';

export class WallRefusal extends Error {
  override name = 'WallRefusal';
}

export interface Judged {
  /** The canonical statement, without its FORMAT clause. */
  readonly body: string;
  /** What the FORMAT clause named, or null. */
  readonly format: string | null;
  readonly isSelect: boolean;
}

/** Throws WallRefusal, or StatementFailure where the text does not parse. */
export async function judge(session: Session, statement: string, functions: FunctionList): Promise<Judged> {
  const canonical = await text(session, `SELECT formatQuerySingleLine(${quoted(statement)})`);
  const format = / FORMAT (\w+)$/.exec(canonical);
  const body = format ? canonical.slice(0, format.index) : canonical;
  const word = /^\(*([A-Z]+)/.exec(body)?.[1] ?? '';
  if (!(FIRST_WORDS as readonly string[]).includes(word))
    throw new WallRefusal(`Only ${FIRST_WORDS.join(', ')} may run here, not ${word || 'this'}`);
  if (/\bINTO\s+OUTFILE\b/i.test(withoutQuoted(body)))
    throw new WallRefusal('INTO OUTFILE may not be used here');

  const tree = parseTree(await text(session, `EXPLAIN AST ${body}`));
  judgeTree(tree, functions);
  return {
    body,
    format: format?.[1] ?? null,
    isSelect: tree[0]!.label.startsWith('Select'),
  };
}

async function text(session: Session, statement: string): Promise<string> {
  const { bytes } = await run(session, statement, 'TSVRaw');
  return Buffer.from(bytes).toString('utf8').trimEnd();
}

/** Canonical text with string literals and quoted names emptied: what is left are words and signs. */
const withoutQuoted = (canonical: string) =>
  canonical.replace(/'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|"(?:[^"\\]|\\.)*"/gs, '_');

export interface TreeNode {
  readonly depth: number;
  readonly label: string;
  /** The label of the node that holds this one; '' for the root. */
  readonly parent: string;
}

/** EXPLAIN AST prints a node a line, one space deeper than its parent. */
export function parseTree(printed: string): TreeNode[] {
  const path: string[] = [];
  return printed.split('\n').map((line) => {
    const depth = line.length - line.trimStart().length;
    const label = line.trim().replace(/(?: \(children \d+\)| \(alias .*\))+$/, '');
    path.length = depth;
    path[depth] = label;
    return { depth, label, parent: path[depth - 1] ?? '' };
  });
}

export function judgeTree(tree: readonly TreeNode[], functions: FunctionList): void {
  const [root, ...nodes] = tree;
  if (!root || !ROOTS.some((name) => root.label === name || root.label.startsWith(`${name} `)))
    throw new WallRefusal(`A statement of kind ${root?.label ?? 'nothing'} may not run here`);
  if (root.label.startsWith('Explain')) judgeExplain(root);
  for (const node of nodes) {
    if (node.label === 'Set') judgeSettings(node);
    else judgeNode(node, functions);
  }
}

/**
 * EXPLAIN's own options are Set nodes too. Any other SETTINGS clause is refused here, because the engine checks only the
 * outermost one against `readonly` and lets a subquery's pass.
 */
function judgeSettings(node: TreeNode): void {
  if (node.parent.startsWith('Explain ')) return;
  throw new WallRefusal('SETTINGS may not stand in a statement here; send settings in the URL');
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
  if (kind === 'Identifier' || kind === 'TableIdentifier') judgeName(name);
  if (kind === 'Literal' && depth === 1) throw new WallRefusal('An output clause may not be used here');
}

function judgeFunction(name: string, parent: string, functions: FunctionList): void {
  const may = parent === 'TableExpression' ? TABLE_FUNCTIONS.has(name) : functions.has(name);
  if (!may) throw new WallRefusal(`The function ${name} may not be used here`);
}

/** In embedded mode a table may be a file's path; and what `system` tells is rationed. */
function judgeName(name: string): void {
  if (/^[/~.]|[./][/~]|\.\.|:\/\//.test(name))
    throw new WallRefusal('A name that looks like a path may not be used here');
  const table = /^system\.(\w+)/i.exec(name)?.[1];
  if (table !== undefined && !SYSTEM_TABLES.has(table))
    throw new WallRefusal(`system.${table} may not be read here`);
}
