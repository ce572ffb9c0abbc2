// The control API on a port: no caller may hold a connection without asking anything, and stopping waits for answers
// under way but not for listeners.

import { createAdaptorServer } from '@hono/node-server';
import { type Listening, listenOn } from '../../kit/listen.ts';
import type { Api } from './routes.ts';

export interface ListeningApi extends Listening {
  close(): Promise<void>;
}

/** A connection whose answer ended after the stop began is idle then: it is looked for so often. */
const SWEEP_EVERY_MS = 50;
/** What is not answered so long after the stop began is cut off. */
const ANSWERS_MS = 10_000;

const TIMEOUTS = { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 65_000 };

/** Throws PortUnavailable. */
export async function listenApi(
  api: Api,
  address: string,
  streams: readonly { close(): void }[],
): Promise<ListeningApi> {
  const server = createAdaptorServer({
    fetch: api.fetch,
    serverOptions: TIMEOUTS,
    overrideGlobalObjects: false,
  });
  const listening = await listenOn(server, address, 'listen.control');
  return {
    ...listening,
    close() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      for (const stream of streams) stream.close();
      if (!('closeIdleConnections' in server)) return closed;
      const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_EVERY_MS);
      const cut = setTimeout(() => server.closeAllConnections(), ANSWERS_MS);
      return closed.finally(() => {
        clearInterval(sweep);
        clearTimeout(cut);
      });
    },
  };
}
