// GET /v1/agents: who is there. POST /v1/agents: a sidecar says that it lives.

import type { Handler } from 'hono';
import type { Roster } from '../control/roster.ts';
import { bodyOf, heartbeat } from './messages.ts';

export function listAgents(roster: Roster): Handler {
  return (context) => context.json(roster.lines());
}

export function hearAgent(roster: Roster): Handler {
  return async (context) => {
    await roster.heartbeat(await bodyOf(context, heartbeat));
    return context.json({});
  };
}
