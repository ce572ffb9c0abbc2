// The command line as people use it.

import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runOutrider, temporaryDirectory } from '../support/processes.ts';
import { type Fleet, REAL_KEY, startFleet } from './fleet.ts';

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet();
});
afterAll(async () => {
  await fleet.stop();
});

const EXAMPLES = new URL('../../examples/', import.meta.url).pathname;

describe('outrider run', () => {
  const run = (command: readonly string[]) =>
    runOutrider(
      [
        'run',
        '--agent',
        'scout',
        '--config',
        fleet.config,
        '--data',
        fleet.directory,
        '--collector',
        fleet.control,
        '--task',
        'run-1',
        '--',
        ...command,
      ],
      { env: { REAL_KEY, OPENAI_API_KEY: 'sk-should-not-be-seen', OUTRIDER_TOKEN: '' } },
    );

  it.each(['openai-agent.ts', 'anthropic-agent.ts'])(
    '%s knows only its base URL: a call, a stream, a refusal',
    async (name) => {
      const { code, stdout } = await run([process.execPath, join(EXAMPLES, name)]);
      expect(stdout).toMatch(/whole: .*\n.*streamed: .*\n.*refused: /s);
      expect(code).toBe(0);
      expect(stdout).not.toContain('ready');
    },
  );

  it('exits as the command did; 127 when there is no such command', async () => {
    expect((await run([process.execPath, '-e', 'process.exit(7)'])).code).toBe(7);
    expect((await run(['no-such-command'])).code).toBe(127);
  });

  it('hides real credentials from the command', async () => {
    const { stdout } = await run([process.execPath, '-e', 'console.log(JSON.stringify(process.env))']);
    const env = JSON.parse(stdout) as Record<string, string>;
    expect(stdout).not.toContain(REAL_KEY);
    expect(stdout).not.toContain('sk-should-not-be-seen');
    expect(env.OPENAI_BASE_URL).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/openai\/v1$/);
    expect(env.ANTHROPIC_BASE_URL).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/anthropic$/);
    expect(env.OUTRIDER_TASK).toBe('run-1');
  });
});

describe('the questions', () => {
  it('outrider sql answers from the store', async () => {
    const { code, stdout } = await runOutrider([
      'sql',
      '--format',
      'JSONEachRow',
      '--url',
      fleet.sql,
      'SELECT 1 AS one',
    ]);
    expect([code, stdout.trim()]).toEqual([0, '{"one":1}']);
    const wrong = await runOutrider(['sql', '--url', fleet.sql, 'DROP TABLE actions']);
    expect(wrong.code).toBe(1);
    const nobody = await runOutrider(['sql', '--url', 'http://127.0.0.1:1', 'SELECT 1']);
    expect(nobody.code).toBe(1);
    expect(nobody.stderr).toMatch(/127\.0\.0\.1:1/);
  });

  it('outrider budgets shows every level', async () => {
    const args = ['budgets', '--collector', fleet.control, '--data', fleet.directory];
    const { code, stdout } = await runOutrider(args, { env: { OUTRIDER_TOKEN: '' } });
    expect(code).toBe(0);
    for (const word of ['fleet', 'department', 'agent', 'scout', '$100.00']) expect(stdout).toContain(word);
    const json = await runOutrider([...args, '--json'], { env: { OUTRIDER_TOKEN: '' } });
    expect((JSON.parse(json.stdout) as unknown[]).length).toBeGreaterThanOrEqual(3);
  });

  it('outrider policy explain says what a rule would', async () => {
    const explain = (subject: string) =>
      runOutrider(['policy', 'explain', '--config', fleet.config, '--agent', 'scout', subject]);
    expect((await explain('llm openai/gpt-5-mini')).code).toBe(0);
    expect((await explain('llm openai/o1')).code).toBe(1);
    expect((await explain('llm opnai/o1')).code).toBe(2);
  });

  it('outrider env prints what a shell can read', async () => {
    const { stdout } = await runOutrider([
      'env',
      '--agent',
      'scout',
      '--config',
      fleet.config,
      '--data',
      fleet.directory,
      '--proxy',
      fleet.proxy,
    ]);
    expect(stdout).toContain(`export OPENAI_BASE_URL='${fleet.proxy}/openai/v1'`);
    const data = ['--data', fleet.directory];
    const json = await runOutrider(['env', '--agent', 'scout', '--config', fleet.config, ...data, '--json']);
    expect(JSON.parse(json.stdout)).toHaveProperty('env.ANTHROPIC_BASE_URL');
  });

  it.each(['up', 'sidecar', 'collector', 'run', 'env', 'ca', 'sql', 'policy', 'store', 'budgets'])(
    '%s --help shows an example',
    async (name) => {
      const { code, stdout } = await runOutrider([name, '--help']);
      expect(code).toBe(0);
      expect(stdout).toMatch(/Examples?:/);
    },
  );

  it('outrider ca prints the authority that agents are told to trust, alone or with the machine’s roots', async () => {
    const ca = (...args: string[]) => runOutrider(['ca', '--data', fleet.directory, ...args]);
    const { code, stdout } = await ca();
    expect(code).toBe(0);
    const certificate = new X509Certificate(stdout);
    expect(certificate.subject).toContain('Outrider local authority');
    const file = join(temporaryDirectory('ca'), 'bundle.pem');
    expect((await ca('--bundle', '--out', file)).stdout).toBe('');
    const bundle = readFileSync(file, 'utf8');
    expect(bundle).toContain(stdout.trim());
    expect(bundle.match(/BEGIN CERTIFICATE/g)!.length).toBeGreaterThan(50);
    expect(statSync(join(fleet.directory, 'ca', 'ca.key')).mode & 0o777).toBe(0o600);
  });

  it('without any file, up observes with the agent’s own keys', async () => {
    const directory = temporaryDirectory('empty');
    const { code, stdout } = await runOutrider(
      ['policy', 'explain', '--agent', 'default', 'llm openai/gpt-5'],
      { cwd: directory },
    );
    expect([0, 1]).toContain(code);
    expect(stdout).toContain('openai/gpt-5');
  });
});
