// GET /v1/budgets/waiting: which tasks wait for money, where, since when and until when, as the sidecars last said.

import type { Handler } from 'hono';
import type { Roster } from '../control/roster.ts';

export function listWaiting(roster: Roster): Handler {
  return (context) => context.json(roster.waiting());
}
