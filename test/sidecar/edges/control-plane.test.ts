// What a sidecar asks by itself, it asks of its collector alone: an answer that sends it elsewhere is no answer, and its
// join token goes nowhere else.

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Heartbeat, LeaseRequest } from '../../../contract/budget.ts';
import { type ControlPlane, createControlPlane } from '../../../sidecar/edges/control-plane.ts';
import { manualClock } from '../../support/manual-clock.ts';

const servers: Server[] = [];
let elsewhere = 0;
let asked = 0;
let status = 302;
let control: ControlPlane;

async function serving(answer: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

beforeAll(async () => {
  const other = await serving((_, response) => {
    elsewhere += 1;
    response.end('{}');
  });
  const collector = await serving((_, response) => {
    asked += 1;
    response.writeHead(status, { location: `${other}/v1/leases` }).end();
  });
  control = createControlPlane({
    controlUrl: collector,
    otlpUrl: collector,
    tokenFile: '/nowhere',
    token: 'join-token',
    clock: manualClock(),
    otlpMoved: () => undefined,
  });
});
afterAll(async () => {
  await control.close();
  for (const server of servers) server.close();
});

describe('SSRF-28: a collector that sends elsewhere', () => {
  it.each([301, 302, 303, 307, 308])('by %s is not followed', async (code) => {
    status = code;
    const before = asked;
    for (const ask of [
      () => control.ask({} as LeaseRequest),
      () => control.heartbeat({} as Heartbeat),
      () => control.tools(),
      () => control.endTask('t', { agent: 'a', state: 'done' }),
      () => control.ship(Buffer.from('x')),
    ])
      await expect(ask()).rejects.toMatchObject({ name: 'ControlPlaneError', status: code });
    expect([asked - before, elsewhere]).toEqual([5, 0]);
  });
});

it('a stream that cannot begin is tried less and less often, one that had begun at once', async () => {
  const begins = [503, 503, 503, 503, 200, 503, 503];
  const waits: number[] = [];
  const tried = Promise.withResolvers<void>();
  const collector = await serving((_, response) => void response.writeHead(begins.shift() ?? 503).end());
  const following = createControlPlane({
    controlUrl: collector,
    otlpUrl: collector,
    tokenFile: '/nowhere',
    token: 'join-token',
    clock: {
      ...manualClock(),
      after(ms, act) {
        waits.push(ms);
        if (begins.length > 0) setImmediate(act);
        else tried.resolve();
        return () => undefined;
      },
    },
    otlpMoved: () => undefined,
  });
  following.follow('scout', 'host', {});
  await tried.promise;
  await following.close();
  expect(waits).toEqual([1_000, 2_000, 4_000, 4_000, 1_000, 2_000, 4_000]);
});
