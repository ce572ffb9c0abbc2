// Stands in for the collector while the sidecar alone is measured: grants any lease and acknowledges any span at once,
// so that what the collector costs (a row of its own) does not take the load generator's core.

import { createServer } from 'node:http';
import type { LeaseAnswer, LeaseRequest } from '../../contract/budget.ts';

const GRANT = '1000000000000000';
const TTL_MS = 900_000;

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    if (request.url === '/v1/leases') {
      const { asks } = JSON.parse(Buffer.concat(chunks).toString()) as LeaseRequest;
      const answers = asks.map(
        (ask): LeaseAnswer => ({
          scope: ask.scope,
          ...(ask.task === undefined ? {} : { task: ask.task }),
          outcome: 'granted',
          lease: ask.lease ?? `${ask.scope}-${ask.task ?? ''}`,
          epoch: 1,
          granted: { nanodollars: GRANT, tokens: GRANT },
          ttlMs: TTL_MS,
        }),
      );
      return response.end(JSON.stringify({ answers }));
    }
    if (request.url?.startsWith('/v1/events')) {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n\n');
      return;
    }
    response.end('{}');
  });
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  process.stdout.write(`${JSON.stringify({ event: 'ready', url: `http://127.0.0.1:${port}` })}\n`);
});
