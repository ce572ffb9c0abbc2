// What a YAML file says, with the place of every key and value kept, and every scalar's own text: a price is read from
// that text, never from a float. Files are merged on this level, so that a mistake is always shown where it was typed.

import type { Place } from './problems.ts';

export type Tree = MapTree | ListTree | ScalarTree;

export interface MapTree {
  readonly kind: 'map';
  readonly at: Place;
  readonly entries: ReadonlyMap<string, Entry>;
}

export interface Entry {
  readonly keyAt: Place;
  readonly value: Tree;
}

export interface ListTree {
  readonly kind: 'list';
  readonly at: Place;
  readonly items: readonly Tree[];
}

export interface ScalarTree {
  readonly kind: 'scalar';
  readonly at: Place;
  readonly value: string | number | boolean | null;
  /** As typed, without quotes: `1.10` where the value is 1.1. */
  readonly text: string;
}

export type Path = readonly (string | number)[];

/** Plain values, as a schema wants them. Maps become objects without prototype. */
export function plain(tree: Tree): unknown {
  if (tree.kind === 'scalar') return tree.value;
  if (tree.kind === 'list') return tree.items.map(plain);
  const object = Object.create(null) as Record<string, unknown>;
  for (const [key, entry] of tree.entries) object[key] = plain(entry.value);
  return object;
}

/** The node at `path`, or undefined where the tree ends before. */
export function nodeAt(tree: Tree, path: Path): Tree | undefined {
  let node: Tree | undefined = tree;
  for (const step of path) node = node && childOf(node, step);
  return node;
}

/** Where the value at `path` stands, or the nearest thing around it that exists. */
export function valuePlace(tree: Tree, path: Path): Place {
  let node = tree;
  for (const step of path) {
    const child = childOf(node, step);
    if (!child) break;
    node = child;
  }
  return node.at;
}

/** Where the key that `path` ends in stands, or the nearest thing around it that exists. */
export function keyPlace(tree: Tree, path: Path): Place {
  const parent = nodeAt(tree, path.slice(0, -1));
  const entry = parent?.kind === 'map' ? parent.entries.get(String(path.at(-1))) : undefined;
  return entry?.keyAt ?? valuePlace(tree, path);
}

/** The names under a key of the file, `upstreams` for instance; none where it is missing or no map. */
export function namesAt(tree: Tree, path: Path): ReadonlySet<string> {
  const node = nodeAt(tree, path);
  return new Set(node?.kind === 'map' ? node.entries.keys() : []);
}

function childOf(node: Tree, step: string | number): Tree | undefined {
  if (node.kind === 'map') return node.entries.get(String(step))?.value;
  if (node.kind === 'list' && typeof step === 'number') return node.items[step];
  return undefined;
}
