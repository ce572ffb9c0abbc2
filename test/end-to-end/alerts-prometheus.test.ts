// The other way to be woken: Debian's Prometheus and Alertmanager with the files as shipped. Only addresses, places of
// secrets and waiting times are substituted; nothing else of what they say.

import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startProvider } from '../../examples/provider/provider.ts';
import { type ChannelDouble, startChannel } from '../collector/alerts/channel.ts';
import { type PagerdutyDouble, startPagerduty } from '../support/pagerduty.ts';
import { freePorts } from '../support/ports.ts';
import { type Started, startOutrider, temporaryDirectory, until, writeConfig } from '../support/processes.ts';

vi.setConfig({ testTimeout: 120_000 });

const DEPLOY = join(import.meta.dirname, '../../deploy');
const KEY = '0123456789abcdef0123456789abcdef';

let provider: Awaited<ReturnType<typeof startProvider>>;
let pagerduty: PagerdutyDouble;
let watchdog: ChannelDouble;
let slack: ChannelDouble;
let outrider: Started;
let prometheusUrl: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  [provider, pagerduty, watchdog, slack] = await Promise.all([
    startProvider({}),
    startPagerduty(),
    startChannel(),
    startChannel(),
  ]);
  const directory = temporaryDirectory('prometheus');
  const config = writeConfig(
    directory,
    `fleet: watched
budgets: none
upstreams: { search: { url: "${provider.url}/search", speaks: http } }
prohibited: ["http DELETE ${provider.url}/search/**"]
roles: { r: { allow: ["http GET ${provider.url}/search/**"], deny: ["http PUT ${provider.url}/search/**"] } }
agents: { scout: { role: r } }
listen: { proxy: 127.0.0.1:0, admin: 127.0.0.1:0, otlp: 127.0.0.1:0, control: 127.0.0.1:0, sql: 127.0.0.1:0 }
`,
  );
  outrider = await startOutrider(['up', '--config', config, '--data', join(directory, 'data')], {
    ready: 2,
    env: { OUTRIDER_TOKEN: '', OUTRIDER_ALERTS_PACE: '900' },
  });
  await startTools(directory);
});
afterAll(async () => {
  await Promise.all(children.map(ended));
  await outrider.kill('SIGTERM');
  await Promise.all([pagerduty.close(), provider.close(), watchdog.close(), slack.close()]);
});

const hostOf = (url: string): string => new URL(url).host;

async function startTools(directory: string): Promise<void> {
  const [prometheusPort, alertmanagerPort] = await freePorts(2);
  writeFileSync(join(directory, 'pagerduty'), KEY);
  writeFileSync(join(directory, 'slack'), slack.url);
  for (const file of ['outrider.rules.yaml', 'prometheus.yaml'])
    cpSync(join(DEPLOY, 'prometheus', file), join(directory, file));
  cpSync(join(DEPLOY, 'alertmanager/alertmanager.yaml'), join(directory, 'alertmanager.yaml'));
  substitute(join(directory, 'prometheus.yaml'), [
    ['127.0.0.1:9093', `127.0.0.1:${alertmanagerPort}`],
    ['127.0.0.1:4319', hostOf(outrider.listen.collector!.control!)],
    ['127.0.0.1:4321', hostOf(outrider.listen.sidecar!.admin!)],
    ['scrape_interval: 15s', 'scrape_interval: 1s'],
    ['evaluation_interval: 15s', 'evaluation_interval: 1s'],
  ]);
  substitute(join(directory, 'alertmanager.yaml'), [
    ['resolve_timeout: 5m', `resolve_timeout: 5m\n  pagerduty_url: ${pagerduty.url}`],
    ['/etc/alertmanager/secrets', directory],
    ['http://127.0.0.1:9095/', watchdog.url],
    ['group_wait: 10s', 'group_wait: 0s'],
    ['group_interval: 1m', 'group_interval: 1s'],
  ]);
  prometheusUrl = `http://127.0.0.1:${prometheusPort}`;
  await started('prometheus-alertmanager', directory, `http://127.0.0.1:${alertmanagerPort}`, [
    `--config.file=${directory}/alertmanager.yaml`,
    `--storage.path=${directory}/alertmanager`,
    `--web.listen-address=127.0.0.1:${alertmanagerPort}`,
    '--cluster.listen-address=',
  ]);
  await started('prometheus', directory, prometheusUrl, [
    `--config.file=${directory}/prometheus.yaml`,
    `--storage.tsdb.path=${directory}/prometheus`,
    `--web.listen-address=127.0.0.1:${prometheusPort}`,
    // what fires before Alertmanager was found is handed over again
    '--rules.alert.resend-delay=1s',
  ]);
}

/** Each text must be there: a file that was changed makes this fail rather than test something else. */
function substitute(path: string, pairs: readonly (readonly [string, string])[]): void {
  let text = readFileSync(path, 'utf8');
  for (const [from, to] of pairs) {
    expect(text, path).toContain(from);
    text = text.replaceAll(from, to);
  }
  writeFileSync(path, text);
}

async function started(command: string, cwd: string, url: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
  children.push(child);
  let output = '';
  child.stderr.on('data', (text) => {
    output += String(text);
  });
  await until(
    async () => {
      if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}:\n${output}`);
      return fetch(`${url}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
    },
    (ready) => ready,
  );
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = new Promise((resolve) => void child.once('exit', resolve));
  child.kill('SIGTERM');
  await exited;
}

const call = (method: string): Promise<Response> =>
  fetch(`${outrider.listen.sidecar!.proxy}/search/x`, { method });

interface Answer {
  readonly data: {
    readonly result: readonly { readonly metric: Record<string, string>; readonly value: [number, string] }[];
  };
}
const ask = async (query: string): Promise<Answer['data']['result']> => {
  const answer = await fetch(`${prometheusUrl}/api/v1/query?query=${encodeURIComponent(query)}`);
  return ((await answer.json()) as Answer).data.result;
};

describe('Prometheus and Alertmanager with the shipped files', () => {
  it('scrape both processes, and the watchdog says that alerting lives', async () => {
    const up = await until(
      () => ask('up'),
      (found) => found.filter(({ value }) => value[1] === '1').length === 2,
    );
    expect(up.map(({ metric }) => metric.job).sort()).toEqual(['outrider-collector', 'outrider-sidecar']);
    const [beat] = await until(
      async () => watchdog.received,
      (received) => received.length > 0,
    );
    expect(JSON.parse(beat!.body)).toMatchObject({ commonLabels: { alertname: 'watchdog' } });
  });

  it('page for what nothing allows, and resolve it; an explicit deny pages nobody', async () => {
    expect((await call('PUT')).status).toBe(403);
    expect((await call('POST')).status).toBe(403);
    const page = await pagerduty.until(({ incidents }) => incidents[0]);
    expect(page).toMatchObject({
      severity: 'critical',
      class: 'out-of-scope-act',
      details: { agent: 'scout', value: '1', next: expect.stringContaining('outrider sql') },
    });
    expect(page.summary).toContain(`scout POST ${provider.url}/search/x`);
    await pagerduty.until(() => page.status === 'resolved' || undefined);
    expect(pagerduty.incidents).toHaveLength(1);
    expect(pagerduty.requests.every(({ status }) => status === 202)).toBe(true);
  });

  it('page for the first prohibited act that a sidecar counts', async () => {
    await call('DELETE');
    const page = await pagerduty.until(({ incidents }) =>
      incidents.find(({ class: of }) => of === 'prohibited-act'),
    );
    expect(page.details).toMatchObject({ agent: 'scout', value: expect.stringMatching(/^1/) });
  });
});
