import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type PipelineOptions, startPipeline } from '../../collector/pipeline.ts';
import { systemClock } from '../../kit/clock.ts';
import { PortUnavailable } from '../../kit/listen.ts';
import { silentLog } from '../../kit/log.ts';
import { rememberingStore } from './queue/remembering-store.ts';
import { requestOf, spanIdOf } from './receive/otlp-messages.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'outrider-pipeline-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const optionsOf = (changes: Partial<PipelineOptions> = {}): PipelineOptions => ({
  listen: '127.0.0.1:0',
  directory: join(directory, 'queue'),
  store: rememberingStore(readFileSync),
  authenticate: () => '',
  log: silentLog,
  clock: systemClock,
  ...changes,
});

const post = (url: string, number: number) =>
  fetch(`${url}/v1/traces`, {
    method: 'POST',
    body: requestOf([{ spanId: spanIdOf(number) }]),
    headers: { 'content-type': 'application/x-protobuf' },
  });

it('carries a request from the door to the store', async () => {
  const store = rememberingStore(readFileSync);
  const pipeline = await startPipeline(optionsOf({ store }));
  expect((await post(pipeline.otlpUrl, 1)).status).toBe(200);
  expect(pipeline.depth().segments).toBe(1);
  await pipeline.drain();
  expect(store.landed.length).toBe(1);
  expect(pipeline.counters()).toMatchObject({
    receiver: { items: { traces: 1 } },
    queue: { stored: { traces: 1 } },
  });
  await pipeline.close();
});

it('keeps for its next start what it was closed with', async () => {
  const away = { load: () => Promise.reject(new Error('away')) };
  const first = await startPipeline(optionsOf({ store: away }));
  for (const number of [1, 2, 3]) expect((await post(first.otlpUrl, number)).status).toBe(200);
  await first.close();
  const store = rememberingStore(readFileSync);
  const second = await startPipeline(optionsOf({ store }));
  expect((await post(second.otlpUrl, 2)).status).toBe(200);
  await second.drain();
  expect(store.landed.length).toBe(3);
  await second.close();
});

it('holds nothing when its port is taken', async () => {
  const other = await startPipeline(optionsOf());
  const taken = optionsOf({ listen: new URL(other.otlpUrl).host, directory: join(directory, 'mine') });
  await expect(startPipeline(taken)).rejects.toThrow(PortUnavailable);
  await other.close();
  const now = await startPipeline(taken);
  await now.close();
});
