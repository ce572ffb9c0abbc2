// Receiver, queue and a real store in a process of its own, to be killed: says where it listens, then serves.
// Usage: node collector-process.ts DIRECTORY

import { join } from 'node:path';
import { startPipeline } from '../../../collector/pipeline.ts';
import { openStore } from '../../../collector/store/store.ts';
import { systemClock } from '../../../kit/clock.ts';
import { silentLog } from '../../../kit/log.ts';

const directory = process.argv[2]!;
const store = await openStore({
  dataDirectory: join(directory, 'store'),
  sqlListen: '127.0.0.1:0',
  log: silentLog,
  clock: systemClock,
});
const pipeline = await startPipeline({
  listen: '127.0.0.1:0',
  directory: join(directory, 'queue'),
  store,
  authenticate: (token) => (token === 'joined' ? 'join' : ''),
  log: silentLog,
  clock: systemClock,
  loadAfterMs: 50,
});
process.stdout.write(`${pipeline.otlpUrl}\n`);
