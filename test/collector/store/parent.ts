// A process that opens a store, says which pid holds it, and waits to be killed.

import { openTestStore } from './open.ts';

const { store } = await openTestStore({ dataDirectory: process.argv[2]! });
process.stdout.write(`${JSON.stringify({ pid: store.pid() })}\n`);
setInterval(() => undefined, 60_000);
