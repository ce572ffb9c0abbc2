import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type PipelineOptions, startPipeline } from '../../collector/pipeline.ts';
import { StoreUnavailable } from '../../collector/store/failures.ts';
import { ALONE } from '../../collector/store/layout.ts';
import { whileOpening } from '../../collector/store/opening.ts';
import type { Store } from '../../collector/store/store.ts';
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

describe('a store that is still opening', () => {
  const remembering = rememberingStore(readFileSync);
  const standing: Store = {
    ...remembering,
    sqlUrl: 'http://127.0.0.1:1',
    server: null,
    layout: ALONE,
    takeBack: async () => undefined,
    query: async () => [],
    command: async () => undefined,
    isOpen: () => true,
    memoryBytes: async () => 7,
    close: async () => undefined,
  };

  it('keeps no request from being taken, and gets them all once it stands', async () => {
    const opening = Promise.withResolvers<Store>();
    const store = whileOpening(opening.promise);
    const pipeline = await startPipeline(optionsOf({ store, loadAfterMs: 1 }));
    for (const number of [1, 2, 3]) expect((await post(pipeline.otlpUrl, number)).status).toBe(200);
    expect([store.isOpen(), store.sqlUrl, await store.memoryBytes()]).toEqual([false, null, 0]);
    expect(remembering.landed).toEqual([]);
    opening.resolve(standing);
    await pipeline.drain();
    expect(remembering.landed.length).toBe(3);
    expect([store.isOpen(), store.sqlUrl, await store.memoryBytes()]).toEqual([true, standing.sqlUrl, 7]);
    await pipeline.close();
  });

  it('and never stands, is away for whoever waited; what was taken is kept', async () => {
    const opening = Promise.withResolvers<Store>();
    const store = whileOpening(opening.promise);
    const pipeline = await startPipeline(optionsOf({ store }));
    expect((await post(pipeline.otlpUrl, 1)).status).toBe(200);
    const asked = store.query('SELECT 1');
    opening.reject(new Error('the directory is locked'));
    await expect(asked).rejects.toThrow(StoreUnavailable);
    await expect(asked).rejects.toThrow('the directory is locked');
    await pipeline.close();
    await store.close();
    const next = await startPipeline(optionsOf());
    expect(next.depth().segments).toBe(1);
    await next.close();
  });
});

it('holds nothing when its port is taken', async () => {
  const other = await startPipeline(optionsOf());
  const taken = optionsOf({ listen: new URL(other.otlpUrl).host, directory: join(directory, 'mine') });
  await expect(startPipeline(taken)).rejects.toThrow(PortUnavailable);
  await other.close();
  const now = await startPipeline(taken);
  await now.close();
});
