// Control database, outbox, queue and a real store in a process of its own. It notes one event, tells it, drains, and says
// what the store then holds; unless it is to kill itself before or after the queue has the event.
// Usage: node outbox-process.ts DIRECTORY note|tell [before|after]

import { join } from 'node:path';
import { noteEvent } from '../../../collector/control/control-events.ts';
import { openDatabase } from '../../../collector/control/database.ts';
import { startOutbox } from '../../../collector/control/outbox.ts';
import { startPipeline } from '../../../collector/pipeline.ts';
import { openStore } from '../../../collector/store/store.ts';
import { systemClock as clock } from '../../../kit/clock.ts';
import { silentLog as log } from '../../../kit/log.ts';

const [directory = '', what, moment] = process.argv.slice(2);
const die = () => process.kill(process.pid, 'SIGKILL');

const database = await openDatabase({ directory: join(directory, 'control'), log, clock });
const store = await openStore({
  dataDirectory: join(directory, 'store'),
  sqlListen: '127.0.0.1:0',
  log,
  clock,
});
const pipeline = await startPipeline({
  listen: '127.0.0.1:0',
  directory: join(directory, 'queue'),
  store,
  authenticate: () => '',
  log,
  clock,
});
if (what === 'note') {
  const event = { event: 'mode_changed', actor: 'anna', agent: 'scout', reason: '', details: {} } as const;
  await noteEvent(database, event, clock.nowMs());
}
const outbox = startOutbox({
  database,
  async append(request) {
    if (moment === 'before') die();
    const appended = await pipeline.append('logs', request, 'collector');
    if (moment === 'after') die();
    return appended;
  },
  clock,
  log,
});
await outbox.tell();
await pipeline.drain();
const [row] = await store.query(
  `SELECT (SELECT count() FROM otel_logs) AS records, (SELECT count() FROM control_events) AS events,
    (SELECT count() FROM control_events WHERE audit_stream LIKE 'control/%' AND audit_seq = 0
      AND audit_hash = lower(hex(SHA256(audit_entry)))) AS sealed`,
);
process.stdout.write(`${JSON.stringify(row)}\n`);
await outbox.close();
await pipeline.close();
await store.close();
await database.close();
