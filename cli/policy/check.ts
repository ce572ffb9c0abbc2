// `outrider policy check`: reads a configuration as a start would, and says all mistakes at once, or what is worth knowing.

import { formatProblem, type Problem } from '../../contract/config/problems.ts';
import { EXIT, type Io } from '../command.ts';
import { findConfig } from '../config-file.ts';
import { json, type PolicyFlags } from './flags.ts';

export async function check(values: PolicyFlags, io: Io): Promise<number> {
  const { path, config, warnings } = await findConfig({ flag: values.config, env: io.env });
  const { notYetEnforced } = await import('../../contract/config/not-yet-enforced.ts');
  const open = notYetEnforced(config);
  if (values.json) {
    io.stdout(json({ ok: true, file: path, digest: config.digest, warnings, not_yet_enforced: open }));
    return EXIT.done;
  }
  const lines = (label: string, problems: readonly Problem[]) =>
    problems.map((problem) => `${label}: ${formatProblem(problem)}\n`).join('');
  const { agents, roles, upstreams, digest } = config;
  const sizes = `${agents.size} agents, ${roles.size} roles, ${upstreams.size} upstreams`;
  io.stdout(`ok: ${path ?? 'no file, the defaults hold'} (${sizes}, digest ${digest.slice(0, 12)})\n`);
  io.stdout(lines('warning', warnings) + lines('not yet enforced', open));
  return EXIT.done;
}
