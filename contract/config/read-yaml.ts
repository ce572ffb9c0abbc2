// YAML text to a Tree, strictly: one document, plain maps, lists and scalars. Anchors, aliases and tags are refused
// altogether: nobody needs them here, and an alias is how a small file becomes an enormous one.

import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from 'yaml';
import type { ConfigSource } from './config.ts';
import { type Place, type Problem, problemAt } from './problems.ts';
import type { Entry, Tree } from './tree.ts';

const FILE_BYTES_MAX = 4 * 1024 * 1024;
const DEPTH_MAX = 32;

interface Reading {
  readonly problems: Problem[];
  readonly place: (node: Node | null | undefined) => Place;
}

/** The tree of one file, or undefined where it is so broken that nothing in it can be relied on. */
export function readYaml(source: ConfigSource): { tree: Tree | undefined; problems: Problem[] } {
  const start: Place = { file: source.file, line: 1, column: 1 };
  if (Buffer.byteLength(source.text) > FILE_BYTES_MAX || nesting(source.text) > DEPTH_MAX * 4) {
    return { tree: undefined, problems: [problemAt(start, 'the file is too large or nested too deeply')] };
  }
  const lines = new LineCounter();
  const document = parseDocument(source.text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false, // found below, with the place of the first
    stringKeys: false,
    logLevel: 'error', // 'silent' would also hide a second document
  });
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file: source.file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const problems = [...document.errors, ...document.warnings].map((error) =>
    problemAt(placeAt(error.pos[0]), sentenceOf(error.code, error.message)),
  );
  if (document.errors.length > 0) return { tree: undefined, problems };
  if (!document.contents || (isScalar(document.contents) && document.contents.value === null)) {
    return { tree: undefined, problems: [...problems, problemAt(start, 'the file is empty')] };
  }
  const reading = { problems, place: (node: Node | null | undefined) => placeAt(node?.range?.[0] ?? 0) };
  return { tree: treeOf(document.contents, reading, 0), problems };
}

function treeOf(node: Node | null, reading: Reading, depth: number): Tree {
  const at = reading.place(node);
  if (depth > DEPTH_MAX) {
    reading.problems.push(problemAt(at, 'nested too deeply'));
    return nothing(at);
  }
  if (isAlias(node) || (node as { anchor?: string } | null)?.anchor) {
    reading.problems.push(problemAt(at, 'YAML anchors and aliases are not read here: write the value out'));
    return nothing(at);
  }
  if (isMap(node))
    return { kind: 'map', at, entries: entriesOf(node.items as Pair<Node, Node>[], reading, depth) };
  if (isSeq(node)) {
    return { kind: 'list', at, items: node.items.map((item) => treeOf(item as Node, reading, depth + 1)) };
  }
  return isScalar(node) ? scalarOf(node.value, node.source, at) : nothing(at);
}

function entriesOf(pairs: readonly Pair<Node, Node>[], reading: Reading, depth: number) {
  const entries = new Map<string, Entry>();
  for (const { key, value } of pairs) {
    const keyAt = reading.place(key);
    const name = isScalar(key) ? (key.source ?? String(key.value)) : undefined;
    const known = name === undefined ? undefined : entries.get(name);
    if (name === undefined) reading.problems.push(problemAt(keyAt, 'a key must be a plain word'));
    else if (name === '__proto__')
      reading.problems.push(problemAt(keyAt, 'a key cannot be called "__proto__"'));
    else if (known) {
      reading.problems.push(problemAt(keyAt, `"${name}" is already defined in line ${known.keyAt.line}`));
    } else {
      const tree = treeOf(value, reading, depth + 1);
      // A missing value has no place of its own worth showing: the key is what was typed.
      entries.set(name, { keyAt, value: value?.range ? tree : { ...tree, at: keyAt } });
    }
  }
  return entries;
}

function scalarOf(value: unknown, text: string | undefined, at: Place): Tree {
  const scalar =
    typeof value === 'number' || typeof value === 'boolean' || value === null ? value : String(value);
  return { kind: 'scalar', at, value: scalar, text: text ?? String(value) };
}

const nothing = (at: Place): Tree => ({ kind: 'scalar', at, value: null, text: '' });

function sentenceOf(code: string, message: string): string {
  if (code === 'TAB_AS_INDENT') return 'tabs cannot indent YAML: use spaces';
  if (code === 'MULTIPLE_DOCS') return 'one file holds one document: remove the "---" that begins another';
  if (code === 'TAG_RESOLVE_FAILED') return 'YAML tags ("!…") are not read here: write a plain value';
  const first = message.split('\n', 1)[0]!.replace(/\.$/, '');
  return `this is not YAML: ${first[0]!.toLowerCase()}${first.slice(1)}`;
}

/** An upper bound of how deep flow collections nest, found without recursion: the parser itself recurses. */
function nesting(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === 0x5b || code === 0x7b) deepest = Math.max(deepest, ++depth);
    else if ((code === 0x5d || code === 0x7d) && depth > 0) depth -= 1;
  }
  return deepest;
}
