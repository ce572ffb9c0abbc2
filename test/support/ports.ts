// Free ports, for processes that are killed and must come back where they were.

import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below what Linux gives to those who ask for any port (32768 and up): nobody is given one of these in between. */
const LOWEST = 20_000;
const HIGHEST = 32_000;

const given = new Set<number>();

/** Ports of 127.0.0.1 that nobody listens on, each given once. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = randomInt(LOWEST, HIGHEST);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    ports.push(port);
  }
  return ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
