// The store's own process: chDB behind two HTTP doors. It is a process apart, so that a query that takes it down takes
// nothing else: the collector starts it again and replays. It lives exactly as long as the pipe from its parent.
//
//   collector --stdin: StartOrder--> this process --stdout: StartReport--> collector
//             --stdin closes-------> SIGKILL to itself: a polite exit would hold the directory's lock for seconds

import { writeSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { keepCompiled } from '../../../kit/compile-cache.ts';
import { privateDoor, sqlDoor } from './doors.ts';
import { openEngine } from './engine.ts';
import { listFunctions } from './functions.ts';
import { watchKeptMemory } from './kept-memory.ts';
import type { StartOrder, StartReport } from './messages.ts';

const die = (): void => void process.kill(process.pid, 'SIGKILL');

/** Written at once: there is no later. The collector logs the line. */
function dieSaying(sentence: string): void {
  writeSync(process.stderr.fd, `${sentence}\n`);
  die();
}

async function listen(server: Server, port: number, host: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return (server.address() as AddressInfo).port;
}

async function start(order: StartOrder): Promise<StartReport> {
  const engine = openEngine(order.dataDirectory, order.limits);
  const functions = await engine.session('work', listFunctions);
  const memory = watchKeptMemory(engine, order.limits, dieSaying);
  const privatePort = await listen(privateDoor({ engine, memory }, order.password), 0, '127.0.0.1');
  const reading = sqlDoor({ engine, memory, functions, limits: order.limits, die: dieSaying });
  const sqlPort = await listen(reading, order.sql.port, order.sql.host);
  return { event: 'ready', privatePort, sqlPort };
}

function failed(failure: unknown): StartReport {
  const message = failure instanceof Error ? failure.message : String(failure);
  const code = failure instanceof Error && 'code' in failure ? String(failure.code) : '';
  return { event: 'failed', code, message };
}

// A terminal's ^C reaches the whole process group; the collector decides when the store goes.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.stdout.on('error', die);

const lines = createInterface({ input: process.stdin });
lines.once('line', (line) => {
  start(JSON.parse(line) as StartOrder)
    .catch(failed)
    .then((report) => process.stdout.write(`${JSON.stringify(report)}\n`), die)
    .then(keepCompiled, die); // it always dies by SIGKILL
});
lines.once('close', die);
