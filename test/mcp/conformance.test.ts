// The public conformance suite, both ways: a server seen through the sidecar passes exactly what it passes when seen
// directly, and a client that reaches the suite's server through the sidecar does too.

import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runProgram, temporaryDirectory } from '../support/processes.ts';
import { conformanceServer } from './conformance-server.ts';
import { serveTools, type ToolServer } from './http-server.ts';
import { type SidecarForOne, startSidecarFor } from './sidecar.ts';

const SUITE = join(
  dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json')),
  'dist/index.js',
);
const CLIENT = fileURLToPath(new URL('./conformance-client.ts', import.meta.url));

let server: ToolServer;
let sidecar: SidecarForOne;
beforeAll(async () => {
  server = await serveTools(conformanceServer);
  sidecar = await startSidecarFor(server.url);
});
afterAll(async () => {
  await sidecar.stop();
  await server.close();
});

/** Scenario and check → its statuses, of all that the suite wrote into a folder. */
function checksIn(directory: string): Record<string, string[]> {
  const found: [check: string, status: string][] = [];
  for (const folder of readdirSync(directory)) {
    const scenario = folder.replace(/-\d{4}-\d{2}-\d{2}T.*$/, '');
    const checks = JSON.parse(readFileSync(join(directory, folder, 'checks.json'), 'utf8')) as {
      id: string;
      status: string;
    }[];
    for (const { id, status } of checks)
      if (status !== 'INFO' && id !== 'client-sse-retry-timing') found.push([`${scenario}: ${id}`, status]);
  }
  const grouped = Map.groupBy(found, ([check]) => check);
  return Object.fromEntries([...grouped].map(([check, all]) => [check, all.map(([, status]) => status)]));
}

async function suite(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Record<string, string[]>> {
  const directory = temporaryDirectory('conformance');
  await runProgram(process.execPath, [SUITE, ...args, '-o', directory], { ...process.env, ...env });
  return checksIn(directory);
}

it('a server is through the sidecar what it is without', async () => {
  const direct = await suite(['server', '--url', server.url]);
  const through = await suite(['server', '--url', sidecar.url]);
  expect(through).toEqual(direct);
  expect(server.received.filter(({ headers }) => headers.traceparent).length).toBe(
    server.received.length / 2,
  );
  const failed = Object.entries(direct).filter(([, statuses]) => statuses.includes('FAILURE'));
  expect(failed).toEqual([]);
  expect(Object.keys(direct).length).toBeGreaterThanOrEqual(30);
});

it.each(['initialize', 'tools_call', 'elicitation-sep1034-client-defaults', 'sse-retry'])(
  'a client is through the sidecar what it is without: %s',
  async (scenario) => {
    const args = ['client', '--command', `${process.execPath} ${CLIENT}`, '--scenario', scenario];
    const [direct, through] = await Promise.all([suite(args), suite(args, { VIA_SIDECAR: '1' })]);
    expect(through).toEqual(direct);
    expect(Object.values(direct).flat()).not.toContain('FAILURE');
    expect(Object.keys(direct).length).toBeGreaterThan(0);
  },
);
