// docker-compose.yml: valid by the specification's own schema, closed where it says so, and its config and environment run
// here, without containers.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { temporaryDirectory } from '../support/processes.ts';
import { expectRuns, expectWholeConfig, ROOT, shipped } from './shipped.ts';

interface Service {
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly networks?: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly secrets?: readonly (string | { source: string })[];
  readonly environment?: Readonly<Record<string, string>>;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, object>>;
  readonly secrets: Readonly<Record<string, { file: string }>>;
}

const document = () => parse(shipped('docker-compose.yml'), { merge: true }) as Compose;
const compose = document();
const services = Object.entries(compose.services);
const config = shipped('deploy/compose/outrider.yaml');

/** What a service of ours may say, of all that the Compose specification knows (05-services.md there). */
const SERVICE_KEYS = new Set([
  ...['build', 'image', 'command', 'environment', 'secrets', 'volumes', 'tmpfs', 'networks', 'ports', 'user'],
  ...['depends_on', 'healthcheck', 'profiles', 'restart', 'init', 'read_only', 'cap_drop', 'security_opt'],
  ...['stop_grace_period', 'mem_limit'],
]);
const TOP_KEYS = ['x-hardened', 'services', 'networks', 'volumes', 'secrets'];
const hasEngineClient = spawnSync('docker-compose', ['--version']).status === 0;

describe('docker-compose.yml', () => {
  it('says nothing that the Compose specification does not know', () => {
    expect(Object.keys(compose)).toEqual(TOP_KEYS);
    for (const [, service] of services)
      expect(Object.keys(service).filter((key) => !SERVICE_KEYS.has(key))).toEqual([]);
  });

  it.runIf(hasEngineClient)('is taken by docker-compose, where that is installed', () => {
    const judged = spawnSync('docker-compose', ['--profile', 'example', 'config', '--quiet'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expect([judged.status, judged.stderr]).toEqual([0, '']);
  });

  it.each(services)('%s writes nowhere but to its volumes, and gains no right', (_, service) => {
    expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
    expect(service.security_opt).toContain('no-new-privileges:true');
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it('leaves the agent one way out: its sidecar', () => {
    const { networks = [] } = compose.services.agent!;
    expect(networks.map((name) => compose.networks[name]?.internal)).toEqual([true]);
    const others = services.filter(
      ([name, service]) => name !== 'agent' && service.networks?.includes(networks[0]!),
    );
    expect(others.map(([name]) => name)).toEqual(['sidecar']);
    expect(compose.services.agent).not.toHaveProperty('secrets');
  });

  it('names only files, volumes, networks and secrets that are there', () => {
    for (const [, service] of services) {
      for (const volume of service.volumes ?? []) {
        const source = volume.split(':')[0]!;
        if (source.startsWith('./')) expect(existsSync(join(ROOT, source)), source).toBe(true);
        else expect(compose.volumes).toHaveProperty(source);
      }
      for (const network of service.networks ?? []) expect(compose.networks).toHaveProperty(network);
      for (const secret of service.secrets ?? [])
        expect(compose.secrets).toHaveProperty(typeof secret === 'string' ? secret : secret.source);
    }
  });

  it('gives the sidecar every secret that its config names', async () => {
    const { credentials, collector } = await expectWholeConfig(config);
    const given = compose.services.sidecar?.secrets ?? [];
    for (const { secret } of credentials.values())
      expect(given.map((name) => `/run/secrets/${String(name)}`)).toContain(secret.locator);
    expect(compose.services).toHaveProperty(new URL(collector).hostname);
  });

  it('scrapes as deploy/prometheus does, at its own addresses', () => {
    const own = shipped('deploy/compose/prometheus.yaml')
      .replace('alertmanager:9093', '127.0.0.1:9093')
      .replace('collector:4319', '127.0.0.1:4319')
      .replace('sidecar:4321', '127.0.0.1:4321');
    expect(parse(own)).toEqual(parse(shipped('deploy/prometheus/prometheus.yaml')));
  });

  it('runs: config and environment as they are shipped', { timeout: 90_000 }, async () => {
    const { collector, sidecar } = compose.services;
    await expectRuns(config, { collector: collector!.environment!, sidecar: sidecar!.environment! });
  });
});

const PROMTOOL = '/usr/bin/promtool';
it.runIf(existsSync(PROMTOOL))('gives Prometheus a config that it takes', () => {
  const text = shipped('deploy/compose/prometheus.yaml').replace(
    'outrider.rules.yaml',
    join(ROOT, 'deploy/prometheus/outrider.rules.yaml'),
  );
  const path = join(temporaryDirectory('prometheus'), 'prometheus.yaml');
  writeFileSync(path, text);
  expect(() => execFileSync(PROMTOOL, ['check', 'config', path], { stdio: 'pipe' })).not.toThrow();
});
