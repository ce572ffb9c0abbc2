// Interception when its own parts fail: whatever is thrown on the way ends that connection with a record, and nothing
// else.

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Refusal } from '../../../contract/refusals.ts';
import { createInterception } from '../../../sidecar/accept/intercept.ts';
import type { Accepted } from '../../../sidecar/call.ts';

let server: Server;
beforeAll(async () => {
  server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterAll(() => server.close());

const ACCEPTED = { request: { headers: {} }, response: { detachSocket: () => undefined } };
const TO = { host: 'good.example', port: 443 };

/** What is recorded of a connection that is to be intercepted with what `leafFor` gives, and what the agent sees. */
async function intercepted(
  leafFor: (host: string) => Promise<SecureContext>,
): Promise<{ refusal: Refusal; entered: boolean; seen: Error }> {
  const { port } = server.address() as { port: number };
  const agent = connect(port, '127.0.0.1');
  const [ours] = (await once(server, 'connection')) as [Socket];
  let entered = false;
  const refusal = new Promise<Refusal>((resolve) => {
    const interception = createInterception({
      leafFor,
      enter: () => {
        entered = true;
      },
      failed: resolve,
      monotonicMs: () => 0,
    });
    interception.begin(ACCEPTED as unknown as Accepted, ours, TO);
  });
  await once(agent, 'data');
  const tls = connectTls({ socket: agent, servername: TO.host });
  const [seen] = (await once(tls, 'error')) as [Error];
  return { refusal: await refusal, entered, seen };
}

const trap = (thrown: unknown): SecureContext =>
  new Proxy({} as SecureContext, {
    get: () => {
      throw thrown;
    },
  });

describe('TLS-07: what is thrown while a handshake is answered', () => {
  it.each([
    ['by the authority', () => Promise.reject(new Error('no key'))],
    [
      'at once',
      () => {
        throw new Error('no key');
      },
    ],
    ['by a context that is none', () => Promise.resolve({} as SecureContext)],
    ['by a context that throws', () => Promise.resolve(trap(new Error('trap')))],
  ] as const)('%s: the connection ends, with a record', async (_, leafFor) => {
    const { refusal, entered, seen } = await intercepted(leafFor);
    expect(refusal).toMatchObject({ code: 'bad_request', detail: { reason: 'tls_handshake' } });
    expect(entered).toBe(false);
    expect(seen).toBeInstanceOf(Error);
  });
});
