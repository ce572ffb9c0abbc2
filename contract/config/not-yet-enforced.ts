// What the parser accepts and this release does not enforce. A control that is written down and does nothing is worse
// than none, so a process that finds any of these refuses to start and names the key to remove.

import type { DialectName } from '../attributes.ts';
import type { Rule, RuleKind } from '../rules.ts';
import type { Config } from './config.ts';
import { readSources } from './merge.ts';
import { type Place, type Problem, problemAt, sortProblems } from './problems.ts';
import { keyPlace, nodeAt, type Path, valuePlace } from './tree.ts';

const DIALECTS_ENFORCED: readonly DialectName[] = [
  'openai',
  'anthropic',
  'gemini',
  'bedrock',
  'mcp',
  'a2a',
  'http',
];
const KINDS_ENFORCED: readonly RuleKind[] = ['llm', 'http', 'tool', 'hosted', 'mcp', 'a2a', 'connect'];

/** The word itself, not a field or a text of that name. A rule is judged before the call has a price. */
const COST = /(?<![.\w"'])cost\b/;

/** One problem for each such key; the places are read again from the config's own sources. */
export function notYetEnforced(config: Config): Problem[] {
  if (config.sources.length === 0) return [];
  const { tree } = readSources(config.sources);
  const problems: Problem[] = [];
  const report = (place: Place, message: string) => void problems.push(problemAt(place, message));
  const key = (path: Path, what: string) => {
    if (nodeAt(tree, path))
      report(keyPlace(tree, path), `${what} not enforced yet: remove "${path.join('.')}"`);
  };
  for (const [name, { speaks }] of config.upstreams) {
    if (!DIALECTS_ENFORCED.includes(speaks)) key(['upstreams', name], `upstreams that speak ${speaks} are`);
  }
  for (const rule of rulesOf(config)) {
    if (!KINDS_ENFORCED.includes(rule.kind)) {
      report(rule.source, `rules of kind ${rule.kind} are not enforced yet: remove this rule`);
    } else if (rule.when !== null && COST.test(rule.when)) {
      report(rule.source, 'conditions on cost are not enforced yet: remove this rule');
    }
  }
  for (const [index, { bodies }] of config.export.entries()) {
    if (bodies !== 'none') key(['export', index, 'bodies'], `export of bodies as ${bodies} is`);
  }
  for (const path of vaultPaths(config)) {
    report(valuePlace(tree, path), `secrets from vault: are not enforced yet: change "${path.join('.')}"`);
  }
  return sortProblems(
    problems,
    config.sources.map(({ file }) => file),
  );
}

function rulesOf(config: Config): readonly Rule[] {
  const roles = [...config.roles.values()];
  return [
    config.prohibited,
    ...roles.flatMap(({ allow, notify, ask, deny }) => [allow, notify, ask, deny]),
  ].flat();
}

function vaultPaths(config: Config): Path[] {
  const paths: Path[] = [];
  for (const name of ['clickhouse', 'postgres'] as const)
    if (config.store[name].startsWith('vault:')) paths.push(['store', name]);
  for (const [name, { secret }] of config.credentials) {
    if (secret.from === 'vault') paths.push(['credentials', name, 'from']);
  }
  for (const [name, { key }] of config.agents) if (key?.from === 'vault') paths.push(['agents', name, 'key']);
  for (const [name, channels] of config.owners) {
    for (const [channel, secret] of Object.entries(channels))
      if (secret.from === 'vault') paths.push(['owners', name, channel]);
  }
  for (const [severity, channel] of Object.entries(config.alerts))
    if (channel?.secret.from === 'vault') paths.push(['alerts', severity]);
  for (const [index, { headers }] of config.export.entries()) {
    for (const [name, secret] of Object.entries(headers))
      if (secret.from === 'vault') paths.push(['export', index, 'headers', name]);
  }
  return paths;
}
