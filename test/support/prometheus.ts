// Debian's Prometheus as a process of a test's own: it scrapes what it is given, every second, into a folder that goes
// with it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { freePorts } from './ports.ts';
import { temporaryDirectory, until } from './processes.ts';

export interface Prometheus {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * `jobs`: name → base URLs whose /metrics is scraped; or the path of a file that says so, there already or not, as
 * `file_sd_configs` reads it. Resolves once it is ready.
 */
export async function startPrometheus(
  jobs: Readonly<Record<string, readonly string[]>> | string,
): Promise<Prometheus> {
  const directory = temporaryDirectory('prometheus');
  const config = join(directory, 'prometheus.yaml');
  writeFileSync(config, stringify(configOf(jobs)));
  const [port] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const child = spawn('prometheus', [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(directory, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=error',
  ]);
  let said = '';
  child.stderr.on('data', (text) => {
    said += String(text);
  });
  const isReady = async (): Promise<boolean> => {
    if (child.exitCode !== null) throw new Error(`Prometheus ended with ${child.exitCode}:\n${said}`);
    return await fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  };
  await until(isReady, (ready) => ready);
  return {
    url,
    async stop() {
      if (child.kill('SIGTERM')) await once(child, 'exit');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function configOf(jobs: Readonly<Record<string, readonly string[]>> | string) {
  if (typeof jobs === 'string') {
    const fromFile = { job_name: 'file', file_sd_configs: [{ files: [jobs], refresh_interval: '1s' }] };
    return { global: { scrape_interval: '5s' }, scrape_configs: [fromFile] };
  }
  return {
    global: { scrape_interval: '1s' },
    scrape_configs: Object.entries(jobs).map(([name, urls]) => ({
      job_name: name,
      static_configs: [{ targets: urls.map((url) => new URL(url).host) }],
    })),
  };
}
