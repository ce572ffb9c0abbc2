// A call leaves only when its record can be kept: a full journal, a disk that fails, and the order of bytes on the disk
// and on the wire. Real sidecars, no collector at first; strace stands between one and its disk.

import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Provider, startProvider } from '../../examples/provider/provider.ts';
import { freePorts } from '../support/ports.ts';
import {
  type Program,
  type Started,
  startOutrider,
  temporaryDirectory,
  until,
  writeConfig,
} from '../support/processes.ts';
import { REAL_KEY, SAMPLE } from './fleet.ts';

const hasStrace = spawnSync('strace', ['-V']).status === 0;
const env = { REAL_KEY, OUTRIDER_TOKEN: '' };

let provider: Provider;
beforeAll(async () => {
  provider = await startProvider();
});
afterAll(() => provider.close());

interface Place {
  readonly directory: string;
  startSidecar(program?: Program): Promise<Started>;
  startCollector(): Promise<Started>;
}

async function place(journal: string): Promise<Place> {
  const directory = temporaryDirectory('records');
  const [otlp, control, sql] = await freePorts(3);
  const listen = `listen: { proxy: 127.0.0.1:0, admin: 127.0.0.1:0, otlp: 127.0.0.1:${otlp}, otlp_grpc: 127.0.0.1:0, control: 127.0.0.1:${control}, sql: 127.0.0.1:${sql} }`;
  const yaml = `${SAMPLE.replaceAll('{provider}', provider.url).replace(/^listen:.*$/m, listen)}
collector: http://127.0.0.1:${control}
journal: ${journal}
`;
  const config = writeConfig(directory, yaml);
  const data = join(directory, 'data');
  return {
    directory,
    startSidecar: (program) =>
      startOutrider(['sidecar', '--config', config, '--data', data, '--agent', 'scout/one'], {
        ready: 1,
        env,
        ...(program ? { program } : {}),
      }),
    startCollector: () => startOutrider(['collector', '--config', config, '--data', data], { ready: 1, env }),
  };
}

/** A call that costs nothing, so that it needs no ledger. */
const list = (sidecar: Started): Promise<Response> =>
  fetch(`${sidecar.listen.sidecar!.proxy}/openai/v1/models`);

/** What runs a sidecar under strace; what it saw is in `trace`. */
function traced(directory: string, ...options: string[]): { program: Program; trace: string } {
  const trace = join(directory, 'trace');
  const script = join(directory, 'traced.sh');
  const line = ['strace', '-f', '-o', trace, ...options, process.execPath].join(' ');
  writeFileSync(script, `#!/bin/sh\nexec ${line} "$@"\n`);
  chmodSync(script, 0o755);
  return { program: [script, new URL('../../bin/outrider.js', import.meta.url).pathname], trace };
}

describe('a call leaves only when its record can be kept', () => {
  it('AUD-01: not while the journal is full and nobody takes it over; and again once somebody has', async () => {
    const { startSidecar, startCollector } = await place('{ size: 64KB }');
    const sidecar = await startSidecar();
    const before = provider.requests.length;
    let passed = 0;
    let refused = await list(sidecar);
    for (; refused.status === 200; refused = await list(sidecar)) passed += 1;
    expect(passed).toBeGreaterThan(3);
    expect(refused.status).toBe(503);
    expect(refused.headers.get('x-outrider-refusal')).toBe('audit_unavailable');
    for (let i = 0; i < 5; i++) expect((await list(sidecar)).status).toBe(503);
    expect(provider.requests.length - before).toBe(passed);
    const collector = await startCollector();
    await until(
      () => list(sidecar),
      ({ status }) => status === 200,
      20_000,
    );
    await sidecar.kill('SIGTERM');
    await collector.kill('SIGTERM');
  }, 90_000);

  it.runIf(hasStrace)(
    'AUD-02: not when the disk answers a sync with EIO: refused, and not ready',
    async () => {
      const { directory, startSidecar } = await place('{ durability: strict }');
      const before = provider.requests.length;
      const sidecar = await startSidecar(traced(directory, '-e', 'inject=fdatasync:error=EIO').program);
      const refused = await list(sidecar);
      expect(refused.status).toBe(503);
      expect(refused.headers.get('x-outrider-refusal')).toBe('audit_unavailable');
      const ready = await fetch(`${sidecar.listen.sidecar!.admin}/readyz`);
      expect(ready.status).toBe(503);
      expect(await ready.json()).toMatchObject({ ready: false, broken: 'the journal cannot be written' });
      expect(provider.requests.length).toBe(before);
      await sidecar.kill('SIGKILL');
    },
    60_000,
  );

  it.runIf(hasStrace)(
    'AUD-03: where durability is strict, not before the decision is on the disk',
    async () => {
      const { directory, startSidecar } = await place('{ durability: strict }');
      const { program, trace } = traced(
        directory,
        ...['-yy', '-s', '16', '-e', 'trace=write,writev,pwrite64,fdatasync,fsync'],
      );
      const sidecar = await startSidecar(program);
      expect((await list(sidecar)).status).toBe(200);
      const port = new URL(provider.url).port;
      const lines = await until(
        async () => readFileSync(trace, 'utf8').split('\n'),
        (seen) => seen.findIndex(isOf(`->127.0.0.1:${port}]`, 'write')) >= 0,
      );
      await sidecar.kill('SIGKILL');
      const sent = lines.findIndex(isOf(`->127.0.0.1:${port}]`, 'write'));
      const before = lines.slice(0, sent);
      const written = before.findLastIndex(isOf('journal-', 'write('));
      expect(written).toBeGreaterThan(0);
      const synced = before.slice(written + 1);
      const asked = synced.findIndex(isOf('journal-', 'fdatasync('));
      expect(asked, synced.join('\n')).toBeGreaterThanOrEqual(0);
      const thread = synced[asked]!.split(' ', 1)[0]!;
      const done = synced.slice(asked).find((line) => line.startsWith(thread) && line.endsWith('= 0'));
      expect(done, synced.join('\n')).toMatch(/fdatasync/);
    },
    60_000,
  );
});

const isOf =
  (...parts: readonly string[]) =>
  (line: string): boolean =>
    parts.every((part) => line.includes(part));
