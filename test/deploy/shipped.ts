// The shipped files as a test reads and runs them: the same configuration and environment as in a container, on this
// machine's loopback and with a practice provider in the place of the real ones.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { notYetEnforced } from '../../contract/config/not-yet-enforced.ts';
import { parseConfig } from '../../contract/config/parse.ts';
import { formatProblem } from '../../contract/config/problems.ts';
import { startProvider } from '../../examples/provider/provider.ts';
import { callThrough } from '../packaging/package.ts';
import { rows, startOutrider, temporaryDirectory, until, writeConfig } from '../support/processes.ts';

export const ROOT = new URL('../../', import.meta.url).pathname;
export const shipped = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

const KEY = 'sk-shipped-canary';

/** The config as it is shipped: without mistakes, and nothing in it that this release would not keep. */
export async function expectWholeConfig(text: string) {
  const { config, warnings } = await parseConfig([{ file: 'outrider.yaml', text }]);
  expect([...warnings, ...notYetEnforced(config)].map(formatProblem)).toEqual([]);
  return config;
}

export interface ShippedEnvironment {
  readonly collector: Readonly<Record<string, string>>;
  readonly sidecar: Readonly<Record<string, string>>;
}

/**
 * Starts collector and sidecar with a shipped config, one data directory each as in their containers; a call must pass,
 * its record must arrive, and nothing may be written but the data directories and /tmp.
 */
export async function expectRuns(text: string, env: ShippedEnvironment): Promise<void> {
  const provider = await startProvider({ keys: [KEY] });
  const directory = temporaryDirectory('shipped');
  const folder = (name: string) => {
    mkdirSync(join(directory, name));
    return join(directory, name);
  };
  const [home, working, secrets] = [folder('home'), folder('working'), folder('secrets')];
  for (const [name, value] of Object.entries({ openai: KEY, anthropic: KEY, token: 'shipped-token' }))
    writeFileSync(join(secrets, name), `${value}\n`);
  const config = writeConfig(directory, onThisMachine(text, provider.url, secrets));
  const start = (command: string, own: Readonly<Record<string, string>>) => {
    const data = join(directory, `${command}-data`);
    const given = Object.fromEntries(
      Object.entries(own).map(([name, value]) => [
        name,
        value.replace(/^\/run\/secrets\/(?:[\w-]+\/)*/, `${secrets}/`),
      ]),
    );
    return startOutrider([command], {
      ready: 1,
      cwd: working,
      env: { HOME: home, OUTRIDER_TOKEN: '', OUTRIDER_CONFIG: config, OUTRIDER_DATA: data, ...given },
    });
  };
  const collector = await start('collector', env.collector);
  const { control, sql } = collector.listen.collector!;
  const sidecar = await start('sidecar', { ...env.sidecar, OUTRIDER_COLLECTOR: control! });
  try {
    for (const ready of [control, sidecar.listen.sidecar!.admin])
      expect((await fetch(`${ready}/readyz`)).status).toBe(200);
    const call = await callThrough(sidecar.listen.sidecar!.proxy!);
    await until(
      () => rows(sql!, `SELECT 1 FROM actions WHERE call_id = '${call}' AND status = 'success'`),
      (found) => found.length === 1,
    );
  } finally {
    await sidecar.kill('SIGTERM');
    await collector.kill('SIGTERM');
    await provider.close();
  }
  expect([...readdirSync(home), ...readdirSync(working)]).toEqual([]);
}

function onThisMachine(text: string, provider: string, secrets: string): string {
  return text
    .replace(/(?:0\.0\.0\.0|127\.0\.0\.1):\d+/g, '127.0.0.1:0')
    .replace('https://api.openai.com', `${provider}/openai`)
    .replace('https://api.anthropic.com', `${provider}/anthropic`)
    .replace(/file:\/run\/secrets\/(?:outrider\/)?/g, `file:${secrets}/`);
}
