// Several files become one configuration: maps of named things are merged by name, and whatever stands in two files is
// a mistake that names both places. There is no overriding, so no reader needs to know the order of the files.

import type { ConfigSource } from './config.ts';
import { type Place, type Problem, problemAt } from './problems.ts';
import { readYaml } from './read-yaml.ts';
import type { Entry, MapTree } from './tree.ts';

const MERGED = new Set(['departments', 'owners', 'upstreams', 'credentials', 'roles', 'agents', 'prices']);

/** Reads all sources and merges them; the first may `include`, the others were included by it. */
export function readSources(sources: readonly ConfigSource[]): { tree: MapTree; problems: Problem[] } {
  const problems: Problem[] = [];
  const merged = new Map<string, Entry>();
  let at: Place | undefined;
  for (const [index, source] of sources.entries()) {
    const read = readYaml(source);
    problems.push(...read.problems);
    if (!read.tree) continue;
    if (read.tree.kind === 'map') {
      at ??= read.tree.at;
      if (index > 0) refuseInclude(read.tree, problems);
      mergeInto(merged, read.tree, problems);
    } else problems.push(problemAt(read.tree.at, 'a configuration is a map of keys, such as "fleet: NAME"'));
  }
  at ??= { file: sources[0]?.file ?? 'outrider.yaml', line: 1, column: 1 };
  return { tree: { kind: 'map', at, entries: merged }, problems };
}

function refuseInclude(tree: MapTree, problems: Problem[]): void {
  const include = tree.entries.get('include');
  if (include) problems.push(problemAt(include.keyAt, 'an included file cannot include others'));
}

function mergeInto(merged: Map<string, Entry>, tree: MapTree, problems: Problem[]): void {
  for (const [key, entry] of tree.entries) {
    const known = merged.get(key);
    if (!known) merged.set(key, entry);
    else if (MERGED.has(key) && known.value.kind === 'map' && entry.value.kind === 'map') {
      merged.set(key, { keyAt: known.keyAt, value: union(known.value, entry.value, problems) });
    } else problems.push(twice(key, entry.keyAt, known.keyAt));
  }
}

function union(first: MapTree, second: MapTree, problems: Problem[]): MapTree {
  const entries = new Map(first.entries);
  for (const [name, entry] of second.entries) {
    const known = entries.get(name);
    if (known) problems.push(twice(name, entry.keyAt, known.keyAt));
    else entries.set(name, entry);
  }
  return { kind: 'map', at: first.at, entries };
}

const twice = (name: string, here: Place, there: Place): Problem =>
  problemAt(here, `"${name}" is already defined at ${there.file}:${there.line}:${there.column}`);
