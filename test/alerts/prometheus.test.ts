// The files Prometheus and Alertmanager are given: written from the definitions, taken by the real tools, and naming no
// metric that nobody emits.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { builtFiles, RULES_TESTS } from '../../alerts/build.ts';
import { parseDefinitions } from '../../collector/alerts/definition.ts';
import { readAlertFiles } from '../../collector/edges/alert-files.ts';
import { METRICS } from '../../contract/metrics.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const PROMETHEUS = join(ROOT, 'deploy/prometheus');
const { alerts } = parseDefinitions(readAlertFiles());

describe('the shipped files', () => {
  it.each([...builtFiles()])('%s is what the definitions say', (path, text) => {
    expect(readFileSync(join(ROOT, path), 'utf8'), 'run `node alerts/build.ts`').toBe(text);
  });

  it('are taken by promtool, and every rule fires and stays quiet when it should', async () => {
    await run('promtool', ['check', 'config', 'prometheus.yaml'], { cwd: PROMETHEUS });
    for (const tests of RULES_TESTS) {
      const { stdout, stderr } = await run('promtool', ['test', 'rules', tests], { cwd: PROMETHEUS });
      expect(stdout + stderr).toContain('SUCCESS');
    }
  });

  it('are taken by amtool, and route by severity', async () => {
    const config = join(ROOT, 'deploy/alertmanager/alertmanager.yaml');
    await run('amtool', ['check-config', config]);
    const receiverOf = async (...labels: string[]) =>
      (await run('amtool', ['config', 'routes', 'test', `--config.file=${config}`, ...labels])).stdout.trim();
    expect(await receiverOf('alertname=error-rate', 'severity=critical')).toBe('page');
    expect(await receiverOf('alertname=budget-near', 'severity=warning')).toBe('read');
    expect(await receiverOf('alertname=watchdog', 'severity=none')).toBe('watchdog');
  });
});

describe('the rules', () => {
  it.each(alerts)('$id names only metrics that are declared', ({ prometheus }) => {
    const names = prometheus.expr.match(/\b(?:outrider|gen_ai)_[a-z_]+/g) ?? [];
    expect(names.length > 0 || /\bup\b/.test(prometheus.expr)).toBe(true);
    for (const name of names) expect(Object.keys(METRICS)).toContain(name);
    const tested = prometheus.tests.flatMap(({ series }) => Object.keys(series));
    expect(tested).not.toEqual([]);
    for (const series of tested) {
      const name = /^[a-z_]+/.exec(series)![0];
      if (name !== 'up') expect(Object.keys(METRICS)).toContain(name);
    }
  });

  it('exist for every line that asks for a human, and for nothing else', () => {
    const bySeverity = (severity: string) =>
      alerts.filter((alert) => alert.severity === severity).map(({ id }) => id);
    expect(bySeverity('critical')).toEqual([
      'audit-log-behind',
      'chain-broken',
      'collector-refuses',
      'collector-unreachable',
      'credential-failed',
      'error-rate',
      'fleet-budget-used-up',
      'ledger-unreachable',
      'out-of-scope-act',
      'prohibited-act',
      'record-missing',
      'task-overdue',
      'task-overspent',
    ]);
    expect(bySeverity('warning')).toEqual([
      'agent-degraded',
      'agent-not-held',
      'anchor-failing',
      'budget-near',
      'budget-overrun',
      'budget-used-up',
      'circuit-open',
      'confidence-low',
      'credential-unusual',
      'dead-letter',
      'mode-changed',
      'provider-quota',
      'quarantine-set',
      'queue-growing',
      'rate-limited',
      'records-set-aside',
      'retention-halted',
      'sums-in-doubt',
      'token-burn',
      'tool-changed',
    ]);
  });
});
