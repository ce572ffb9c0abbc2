// Stopping the control API while somebody listens: a sidecar whose stream ends asks for the next one at once, on the very
// connection that the first came by. It must not hold the stop.

import { Agent, get, type IncomingMessage } from 'node:http';
import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { createRecalls, streamEvents } from '../../../collector/api/events.ts';
import type { ApiEnvironment, Caller } from '../../../collector/api/guards.ts';
import { listenApi } from '../../../collector/api/listen.ts';
import { systemClock } from '../../../kit/clock.ts';

const SIDECAR: Caller = {
  sender: 'scout-host',
  kind: 'sidecar',
  agents: null,
  session: null,
  isInForce: () => true,
};

test('a listener that comes back during the stop is sent away', { timeout: 9_000 }, async () => {
  const recalls = createRecalls();
  const api = new Hono<ApiEnvironment>();
  api.use(async (context, next) => {
    context.set('caller', SIDECAR);
    await next();
  });
  api.get('/v1/events', (context) => streamEvents(context, recalls, () => ({ revision: 0 }), systemClock));
  const { url, close } = await listenApi(api, '127.0.0.1:0', [recalls]);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const listen = () =>
    new Promise<IncomingMessage>((resolve, reject) => {
      get(`${url}/v1/events?agent=scout&instance=1`, { agent }, resolve).once('error', reject);
    });

  const first = await listen();
  expect([first.statusCode, first.headers['content-type']]).toEqual([200, 'text/event-stream']);
  const again = new Promise<string>((resolve) => {
    first.once('end', () => {
      listen().then(
        (stream) => stream.resume().once('close', () => resolve('ended')),
        () => resolve('cut off'),
      );
    });
  });
  first.resume();
  await close();
  expect(['ended', 'cut off']).toContain(await again);
  agent.destroy();
});
