// The config's entry of an agent, in SQL: names made at run time share their pattern, so that grouping by it is bounded.

import type { Config } from '../../contract/config/config.ts';
import { UNKNOWN_AGENT } from '../../contract/metrics.ts';
import { compileName } from '../../contract/rules/glob.ts';

export interface EntrySql {
  /** An expression over the column `agent_id`. */
  readonly expression: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** As `agentNamed` decides it: the exact name, else the longest matching pattern. A name of no entry stays itself. */
export function entrySql(config: Config): EntrySql {
  const names = [...config.agents.keys()];
  const patterns = names.filter((name) => name.includes('*')).sort((a, b) => b.length - a.length);
  const exact = names.filter(
    (name) => !name.includes('*') && patterns.some((pattern) => compileName(pattern)(name)),
  );
  const parameters: Record<string, unknown> = { exact };
  const branches = patterns.map((pattern, i) => {
    parameters[`pattern${i}`] = pattern;
    parameters[`like${i}`] = pattern.replaceAll('_', '\\_').replace(/\*+/g, '%');
    return `agent_id LIKE {like${i}:String}, {pattern${i}:String}`;
  });
  const cases = [
    `agent_id = '', '${UNKNOWN_AGENT}'`,
    'has({exact:Array(String)}, agent_id), agent_id',
    ...branches,
  ];
  return { expression: `multiIf(${cases.join(', ')}, toString(agent_id))`, parameters };
}
