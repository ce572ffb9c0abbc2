// What is allowed but worth a sentence at every start: money that nothing limits, keys that pass through, agents that
// can do nothing.

import type { Agent, Config } from './config.ts';
import { type Problem, problemAt } from './problems.ts';
import { FORWARDED_CREDENTIAL } from './references.ts';
import type { FileConfig } from './schema.ts';
import { keyPlace, type MapTree, type Path, valuePlace } from './tree.ts';

export function warningsOf(config: Config, file: FileConfig, tree: MapTree): Problem[] {
  const warnings: Problem[] = [];
  const warn = (path: Path, message: string) => void warnings.push(problemAt(keyPlace(tree, path), message));
  if (config.agents.size === 0) {
    warnings.push(
      problemAt(valuePlace(tree, ['agents']), 'no agent is defined, so nobody can call anything'),
    );
  }
  for (const [name, agent] of config.agents) {
    if (isUnlimited(agent, config, file)) {
      warn(
        ['agents', name],
        `nothing limits what "${name}" spends: give it a budget, or write budgets: none`,
      );
    }
    if (agent.roles.length === 0)
      warn(['agents', name], `"${name}" has no role, so nothing is allowed to it`);
  }
  for (const [name, upstream] of config.upstreams) {
    if (upstream.credential !== FORWARDED_CREDENTIAL) continue;
    warn(
      ['upstreams', name, 'credential'],
      `calls to "${name}" carry whatever credential the agent sends: name one of yours to keep it out of agents`,
    );
  }
  for (const { path, bodies } of keptBodies(config)) {
    const sentence = `of dead letters alone bodies are kept (${bodies}): of every other call only their hash`;
    warn(path, sentence);
  }
  return warnings;
}

/** Whoever writes `full` may believe that every body is kept. */
function keptBodies(config: Config): { path: Path; bodies: string }[] {
  const roles = [...config.roles].map(([name, { captureBodies }]) => ({
    path: ['roles', name, 'capture'],
    bodies: captureBodies ?? 'hash',
  }));
  return [{ path: ['capture', 'bodies'], bodies: config.captureBodies }, ...roles].filter(
    ({ bodies }) => bodies === 'redacted' || bodies === 'full',
  );
}

/** No budget at any level, and nowhere said that this is meant. */
function isUnlimited(agent: Agent, config: Config, file: FileConfig): boolean {
  const department = agent.department === null ? undefined : file.departments?.[agent.department];
  const written = [file.budgets, department?.budgets, file.agents?.[agent.pattern]?.budgets];
  return config.budgetsWarned && written.every((budgets) => budgets === undefined || budgets.length === 0);
}
