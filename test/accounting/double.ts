// A provider that answers exactly the bytes a scenario holds, in its chunks; which scenario, a header of the request says.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Scenario } from './scenario.ts';

export const SCENARIO_HEADER = 'x-scenario';

export interface Double {
  readonly url: string;
  close(): Promise<void>;
}

export async function startDouble(scenarioOf: (name: string) => Scenario): Promise<Double> {
  const server = createServer((request, response) => {
    answer(request, response, scenarioOf(String(request.headers[SCENARIO_HEADER]))).catch(() =>
      response.destroy(),
    );
  });
  server.on('connection', (socket) => socket.setNoDelay(true));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, scenario: Scenario): Promise<void> {
  for await (const _ of request);
  const { status, headers, chunks, staysOpen } = scenario.answer;
  response.writeHead(status, headers);
  for (const chunk of chunks) await new Promise((resolve) => response.write(chunk, resolve));
  if (!staysOpen) response.end();
}
