// From observing to enforcing, with what the demo recorded: the rules that are suggested for the agent it only observed,
// put into its configuration, and a real sidecar that enforces them.

import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse, stringify } from 'yaml';
import { runOutrider, type Started, startOutrider } from '../support/processes.ts';
import type { Demo } from './demo.ts';

/** The instance that enforces, after the demo. */
export const ADOPTED = 'adopted';

interface File {
  mode: string;
  upstreams: Record<string, { url: string }>;
  roles: Record<string, unknown>;
  agents: Record<string, { role: string; mode?: string }>;
}

export interface Adopted {
  readonly suggested: string;
  readonly before: string;
  readonly after: string;
  readonly upstreams: File['upstreams'];
}

/** Writes a second configuration in which the agent has its suggested role, and enforces. */
export async function adopt({ config, listen }: Demo, agent: string): Promise<Adopted> {
  const args = [
    'policy',
    'suggest',
    '--agent',
    agent,
    '--since',
    '1h',
    '--config',
    config,
    '--url',
    listen.sql!,
  ];
  const { code, stdout, stderr } = await runOutrider(args);
  if (code !== 0) throw new Error(stderr);
  const file = parse(readFileSync(config, 'utf8')) as File;
  const { roles } = parse(stdout) as { roles: Record<string, unknown> };
  const [role = ''] = Object.keys(roles);
  const { mode: _, ...observed } = file.agents[agent]!;
  const adopted = {
    ...file,
    roles: { ...file.roles, ...roles },
    agents: { ...file.agents, [agent]: { ...observed, role } },
  };
  const after = join(dirname(config), 'adopted.yaml');
  writeFileSync(after, stringify(adopted));
  return { suggested: stdout, before: config, after, upstreams: file.upstreams };
}

export function enforce({ data, listen }: Demo, { after }: Adopted, agent: string): Promise<Started> {
  const args = ['sidecar', '--config', after, '--data', data, '--agent', `${agent}/${ADOPTED}`];
  return startOutrider([...args, '--collector', listen.control!], { ready: 1 });
}
