// What pages send, by a real browser: it asks first, and holds every answer to what it was promised.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createIntake } from '../../../collector/receive/intake.ts';
import { createHttpReceiver, type Receiver } from '../../../collector/receive/otlp-http.ts';
import { systemClock } from '../../../kit/clock.ts';
import { silentLog } from '../../../kit/log.ts';
import { ownNames } from '../../../kit/own-names.ts';
import { launch } from '../../support/browser.ts';
import { spanIdOf, TRACE_ID } from './otlp-messages.ts';

interface Beacons {
  sendBeacon(url: string, body: Blob): boolean;
}

const site = createServer((_request, response) => response.end('<!doctype html><title>an app</title>'));
const kept: number[] = [];
const intake = createIntake({
  authenticate: () => '',
  append: async (_request, { items }) => {
    kept.push(items);
    return { kind: 'stored', digest: Buffer.alloc(32) };
  },
  log: silentLog,
  clock: systemClock,
});
let browser: Browser;
let door: Receiver;
let origin: string;

beforeAll(async () => {
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
  door = await createHttpReceiver({
    listen: '127.0.0.1:0',
    intake,
    names: ownNames([], false),
    allowedOrigins: [origin],
    clock: systemClock,
  });
  browser = await launch();
});

afterAll(async () => {
  await browser.close();
  await door.close();
  await intake.close();
  site.close();
});

test('what exporters in pages use is taken: a fetch with a token, a beacon without one', async () => {
  const page = await browser.newPage();
  await page.goto(origin);
  const span = { traceId: TRACE_ID, spanId: spanIdOf(1) };
  const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
  const seen = await page.evaluate(
    async ([url, text]) => {
      const headers = { 'content-type': 'application/json', authorization: 'Bearer x' };
      const { status } = await fetch(url, { method: 'POST', headers, body: text });
      const { navigator } = globalThis as unknown as { navigator: Beacons };
      const isQueued = navigator.sendBeacon(url, new Blob([text], { type: 'application/json' }));
      return { status, isQueued };
    },
    [`${door.url}/v1/traces`, body] as const,
  );
  expect(seen).toEqual({ status: 200, isQueued: true });
  await vi.waitFor(() => expect(kept).toEqual([1, 1]), 20_000);
});
