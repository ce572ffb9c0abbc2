// The rules of a file, parsed where they stand: each knows its line, and each mistake is shown there.

import type { CompileCondition } from '../rules/condition.ts';
import { parseRule } from '../rules/parse.ts';
import { RuleError } from '../rules/rule-error.ts';
import type { KnownUpstream } from '../rules/target.ts';
import type { Rule } from '../rules.ts';
import { type Problem, problemAt } from './problems.ts';
import { type MapTree, type Path, valuePlace } from './tree.ts';

export interface RuleReader {
  readonly tree: MapTree;
  readonly problems: Problem[];
  /** Undefined behind a name: an upstream with mistakes of its own. */
  readonly upstreams: ReadonlyMap<string, KnownUpstream | undefined>;
  readonly compileCondition: CompileCondition | undefined;
}

/** Parses a list of rules at `path`; those that cannot stand become problems and are left out. */
export function resolveRules(
  texts: readonly string[] | undefined,
  path: Path,
  reader: RuleReader,
): readonly Rule[] {
  const refuses = ['prohibited', 'deny', 'ask'].includes(String(path.at(-1)));
  const { upstreams, compileCondition } = reader;
  return (texts ?? []).flatMap((text, index) => {
    const { file, line, column } = valuePlace(reader.tree, [...path, index]);
    try {
      return [parseRule(text, { file, line, column }, { upstreams, compileCondition, refuses })];
    } catch (failure) {
      if (!(failure instanceof RuleError)) throw failure;
      reader.problems.push(problemAt({ file, line, column }, failure.message, failure.suggestion));
      return [];
    }
  });
}
