// A sidecar alone in front of one tool server, which lets everything of it pass: what is seen through it should be what
// is seen without it.

import { join } from 'node:path';
import { startOutrider, temporaryDirectory, writeConfig } from '../support/processes.ts';

export interface SidecarForOne {
  /** Where the server is found through the sidecar. */
  readonly url: string;
  readonly admin: string;
  stop(): Promise<void>;
}

export async function startSidecarFor(server: string, more = ''): Promise<SidecarForOne> {
  const directory = temporaryDirectory('mcp');
  const config = writeConfig(
    directory,
    `fleet: test
mode: enforce
upstreams: { tools: { url: "${server}", speaks: mcp } }
roles: { user: { allow: ["mcp tools/*"] } }
agents: { scout: { role: user, budgets: none } }
collector: http://127.0.0.1:9
listen: { proxy: 127.0.0.1:0, admin: 127.0.0.1:0 }
${more}`,
  );
  const process_ = await startOutrider(
    ['sidecar', '--config', config, '--data', join(directory, 'data'), '--agent', 'scout'],
    { ready: 1, env: { OUTRIDER_TOKEN: 'none' } },
  );
  const { proxy, admin } = process_.listen.sidecar!;
  return { url: `${proxy}/tools`, admin: admin!, stop: () => process_.kill('SIGKILL') };
}
