// Finds and reads configuration files: the only place that knows where a configuration comes from. What the texts mean
// is contract/config's business, and it is loaded only when there is a file.

import { existsSync } from 'node:fs';
import { glob, readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import type { Config, ConfigSource } from '../contract/config/config.ts';
import { defaultConfig } from '../contract/config/default-config.ts';
import { ConfigError, type Place, type Problem, problemAt } from '../contract/config/problems.ts';

export const CONFIG_FILE_DEFAULT = 'outrider.yaml';

export interface FoundConfig {
  /** The main file as it was named; null when there is none and the defaults hold. */
  readonly path: string | null;
  readonly config: Config;
  readonly warnings: readonly Problem[];
}

/**
 * `--config`, else OUTRIDER_CONFIG, else ./outrider.yaml if it exists, else the default configuration.
 * Throws ConfigError with every mistake of every file.
 */
export async function findConfig(where: {
  readonly flag?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** Where outrider.yaml is looked for when nothing names a file. */
  readonly folder?: string;
}): Promise<FoundConfig> {
  const named = where.flag ?? (where.env.OUTRIDER_CONFIG || undefined);
  const beside = join(where.folder ?? '.', CONFIG_FILE_DEFAULT);
  const path = named ?? (existsSync(beside) ? beside : undefined);
  if (path === undefined) return { path: null, config: defaultConfig(), warnings: [] };
  const { sources } = await loadConfigFile(path);
  const { parseConfig } = await import('../contract/config/parse.ts');
  return { path, ...(await parseConfig(sources)) };
}

/** The main file and those it includes, sorted by name. Throws ConfigError where one cannot be read. */
export async function loadConfigFile(path: string): Promise<{ sources: readonly ConfigSource[] }> {
  const main = await readSource(path, { file: path, line: 1, column: 1 });
  const found = new Map<string, Place>();
  const problems: Problem[] = [];
  for (const { pattern, at } of await includesOf(main)) {
    const matches = await globbed(pattern, path);
    if (matches.length === 0 && !/[*?[{]/.test(pattern)) {
      problems.push(problemAt(at, `the included file "${pattern}" does not exist`));
    }
    for (const match of matches) if (!found.has(match)) found.set(match, at);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  const included = [...found].sort(([a], [b]) => (a < b ? -1 : 1));
  return { sources: [main, ...(await Promise.all(included.map(([file, at]) => readSource(file, at))))] };
}

async function includesOf(main: ConfigSource): Promise<{ pattern: string; at: Place }[]> {
  const [{ readYaml }, { nodeAt }] = await Promise.all([
    import('../contract/config/read-yaml.ts'),
    import('../contract/config/tree.ts'),
  ]);
  const { tree } = readYaml(main);
  const include = tree && nodeAt(tree, ['include']);
  const items = include?.kind === 'list' ? include.items : [];
  return items.flatMap((item) =>
    item.kind === 'scalar' && typeof item.value === 'string' ? [{ pattern: item.value, at: item.at }] : [],
  );
}

/** Patterns count from the folder of the main file, which never includes itself. */
async function globbed(pattern: string, mainPath: string): Promise<string[]> {
  const matches: string[] = [];
  for await (const match of glob(pattern, { cwd: dirname(mainPath) })) {
    const file = match.startsWith('/') ? match : join(dirname(mainPath), match);
    if (normalize(file) !== normalize(mainPath)) matches.push(file);
  }
  return matches;
}

async function readSource(file: string, at: Place): Promise<ConfigSource> {
  try {
    const bytes = await readFile(file);
    return { file, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch (failure) {
    throw new ConfigError([problemAt(at, `cannot read ${file}: ${reasonOf(failure)}`)]);
  }
}

function reasonOf(failure: unknown): string {
  if (failure instanceof TypeError) return 'it is not UTF-8 text';
  const code = failure instanceof Error && 'code' in failure ? String(failure.code) : '';
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'this user may not read it';
  return code === 'EISDIR' ? 'it is a folder' : `${code || String(failure)}`;
}
