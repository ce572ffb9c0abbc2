// Notes changes of control state. Where the change is one SQL function, the function notes it itself (note_event), in the
// same transaction; where it is one statement, join the two with `with`. `noteEvent` alone is for what changes nothing else.

import type { ControlEvent } from '../../contract/control-event.ts';
import type { Database } from './database.ts';

export async function noteEvent(database: Database, event: ControlEvent, nowMs: number): Promise<void> {
  await database.query('select note_event($1, $2, $3, $4, $5, $6)', [
    event.event,
    event.actor,
    event.agent,
    event.reason,
    JSON.stringify(event.details),
    nowMs,
  ]);
}
