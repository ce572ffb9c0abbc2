// The door of the configuration: texts in, a frozen Config out, or every mistake of every file at once. Reads no file
// and no environment itself.
//
//   texts ─ readSources ─ tree ─ checkShape ─ file ─ resolveConfig ─ Config
//                         (places)     (units)      (names, rules)

import { policyDigest } from '../policy.ts';
import { type CompileCondition, loadConditions } from '../rules/condition.ts';
import { hasCondition } from '../rules/parse.ts';
import { checkWhole } from './checks.ts';
import type { Config, ConfigSource } from './config.ts';
import { checkFallbacks } from './fallbacks.ts';
import { deepFreeze } from './freeze.ts';
import { readSources } from './merge.ts';
import { ConfigError, type Problem, sortProblems } from './problems.ts';
import { checkReferences } from './references.ts';
import { resolveConfig } from './resolve.ts';
import type { FileConfig } from './schema.ts';
import { checkShape } from './shape.ts';
import { warningsOf } from './warnings.ts';

export interface ParsedConfig {
  readonly config: Config;
  /** Sorted like the problems of a ConfigError; nothing here keeps a process from starting. */
  readonly warnings: readonly Problem[];
}

/**
 * Parses the main file and those it includes, in that order. Throws ConfigError with all problems.
 * Asynchronous only because CEL is loaded when some rule has a condition.
 */
export async function parseConfig(sources: readonly ConfigSource[]): Promise<ParsedConfig> {
  const { tree, problems: read } = readSources(sources);
  const { file, problems: shape } = checkShape(tree);
  const problems = [...read, ...shape, ...checkReferences(tree), ...checkWhole(file, tree)];
  const compileCondition = await conditionsFor(file);
  const copies = sources.map(({ file: name, text }) => ({ file: name, text }));
  const resolving = { tree, problems, compileCondition, digest: policyDigest(sources), sources: copies };
  const config = resolveConfig(file, resolving);
  problems.push(...checkFallbacks(config, tree));
  const order = sources.map((source) => source.file);
  if (problems.length > 0) throw new ConfigError(sortProblems(problems, order));
  return { config: deepFreeze(config), warnings: sortProblems(warningsOf(config, file, tree), order) };
}

async function conditionsFor(file: FileConfig): Promise<CompileCondition | undefined> {
  const roles = Object.values(file.roles ?? {});
  const lists = roles.flatMap(({ allow, notify, ask, deny }) => [allow, notify, ask, deny]);
  const rules = [file.prohibited, ...lists].flatMap((list) => list ?? []);
  return rules.some(hasCondition) ? loadConditions() : undefined;
}
