// The collector comes late, goes away and comes back; the sidecar is asked to stop in the middle of a stream.

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startProvider } from '../../examples/provider/provider.ts';
import { freePorts } from '../support/ports.ts';
import {
  rows,
  type Started,
  startOutrider,
  temporaryDirectory,
  until,
  writeConfig,
} from '../support/processes.ts';
import { REAL_KEY, SAMPLE } from './fleet.ts';

async function setUp() {
  const provider = await startProvider({
    behave: ({ body }) => (body.includes('"stream":true') ? { betweenEventsMs: 50 } : undefined),
  });
  const [otlp, control, sql] = await freePorts(3);
  const directory = temporaryDirectory('away');
  const yaml = SAMPLE.replaceAll('{provider}', provider.url).replace(
    /^listen:.*$/m,
    `listen: { proxy: 127.0.0.1:0, admin: 127.0.0.1:0, otlp: 127.0.0.1:${otlp}, otlp_grpc: 127.0.0.1:0, control: 127.0.0.1:${control}, sql: 127.0.0.1:${sql} }\ncollector: http://127.0.0.1:${control}\nmoney: { hold_wait: 500ms, offline: $1 }`,
  );
  const config = writeConfig(directory, yaml);
  const shared = ['--config', config, '--data', join(directory, 'data')];
  const env = { REAL_KEY, OUTRIDER_TOKEN: '' };
  return {
    provider,
    sql: `http://127.0.0.1:${sql}`,
    startCollector: (): Promise<Started> => startOutrider(['collector', ...shared], { ready: 1, env }),
    startSidecar: (): Promise<Started> =>
      startOutrider(['sidecar', ...shared, '--agent', 'scout'], { ready: 1, env }),
  };
}

const chat = (sidecar: Started, more: object = {}): Promise<Response> =>
  fetch(`${sidecar.listen.sidecar!.proxy}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-outrider-task': 'one' },
    body: JSON.stringify({
      model: 'gpt-5-mini',
      max_completion_tokens: 10,
      messages: [{ role: 'user', content: 'hi' }],
      ...more,
    }),
  });

const readiness = async (sidecar: Started): Promise<{ ready: boolean; missing: string[] }> =>
  (await (await fetch(`${sidecar.listen.sidecar!.admin}/readyz`)).json()) as {
    ready: boolean;
    missing: string[];
  };

describe('a collector that is away', () => {
  it('comes after the sidecar: what is free passes at once, what costs once it is there; every call has its row', async () => {
    const { provider, sql, startCollector, startSidecar } = await setUp();
    const sidecar = await startSidecar();
    expect((await readiness(sidecar)).ready).toBe(true);
    expect((await fetch(`${sidecar.listen.sidecar!.proxy}/openai/v1/models`)).status).toBe(200);
    const refused = await chat(sidecar);
    expect(refused.status).toBe(503);
    expect(refused.headers.get('x-outrider-refusal')).toBe('ledger_unreachable');
    expect((await readiness(sidecar)).missing).toContain('ledger');
    const collector = await startCollector();
    await until(
      () => chat(sidecar),
      ({ status }) => status === 200,
      15_000,
    );
    const kinds = await until(
      () =>
        rows<{ status: string; refusal: string }>(
          sql,
          'SELECT DISTINCT status, refusal FROM actions ORDER BY refusal',
        ).catch(() => []),
      (list) => list.length >= 2,
      15_000,
    );
    expect(kinds).toContainEqual({ status: 'refused', refusal: 'ledger_unreachable' });
    expect(kinds).toContainEqual({ status: 'success', refusal: '' });
    await sidecar.kill('SIGTERM');
    await collector.kill('SIGTERM');
    await provider.close();
  });

  it('goes away: calls pass within the lease, and their records arrive when it is back', async () => {
    const { provider, sql, startCollector, startSidecar } = await setUp();
    const first = await startCollector();
    const sidecar = await startSidecar();
    expect((await chat(sidecar)).status).toBe(200);
    await first.kill('SIGKILL');
    for (let i = 0; i < 5; i++) expect((await chat(sidecar)).status).toBe(200);
    const second = await startCollector();
    await until(
      () => rows<{ calls: string }>(sql, 'SELECT toString(count()) AS calls FROM actions').catch(() => []),
      ([row]) => row?.calls === '6',
      20_000,
    );
    await sidecar.kill('SIGTERM');
    await second.kill('SIGTERM');
    await provider.close();
  });
});

describe('a sidecar that is asked to stop', () => {
  it('lets the running stream end, refuses new calls, and exits with 0', async () => {
    const { provider, sql, startCollector, startSidecar } = await setUp();
    const collector = await startCollector();
    const sidecar = await startSidecar();
    await (await chat(sidecar)).text();
    const slow = await chat(sidecar, { stream: true });
    sidecar.child.kill('SIGTERM');
    const text = await slow.text();
    expect(text).toContain('[DONE]');
    expect(await sidecar.exited).toBe(0);
    const ended = await until(
      () =>
        rows<{ calls: string }>(
          sql,
          "SELECT toString(count()) AS calls FROM actions WHERE status = 'success'",
        ),
      ([row]) => row?.calls === '2',
    );
    expect(ended).toHaveLength(1);
    await collector.kill('SIGTERM');
    await provider.close();
  });
});
