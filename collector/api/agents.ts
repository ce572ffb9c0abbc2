// GET /v1/agents: who is there. POST /v1/agents: a sidecar says that it lives, and hears where spans are taken.

import type { Handler } from 'hono';
import type { Roster } from '../control/roster.ts';
import { bodyOf, heartbeat } from './messages.ts';

export function listAgents(roster: Roster): Handler {
  return (context) => context.json(roster.lines());
}

/** `otlpPort` is on the host where the sidecar found the control API. */
export function hearAgent(roster: Roster, otlpPort: number): Handler {
  return async (context) => {
    await roster.heartbeat(await bodyOf(context, heartbeat));
    return context.json({ otlp_port: otlpPort });
  };
}
