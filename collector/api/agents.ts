// GET /v1/agents: who is there. POST /v1/agents: a sidecar says that it lives, and hears where spans are taken
// and in which mode its agent is.

import type { Handler } from 'hono';
import type { HeartbeatAnswer } from '../../contract/budget.ts';
import type { Clock } from '../../kit/clock.ts';
import type { ChainWatch } from '../chain-watch.ts';
import { noteChainBegan } from '../control/chains.ts';
import type { Database } from '../control/database.ts';
import type { DeadLetters } from '../control/dead-letters.ts';
import type { Modes } from '../control/modes.ts';
import type { Quarantines } from '../control/quarantines.ts';
import type { Roster } from '../control/roster.ts';
import type { Tools } from '../control/tools.ts';
import { type ApiEnvironment, mustSpeakFor } from './guards.ts';
import { bodyOf, heartbeat } from './messages.ts';

export function listAgents(roster: Roster): Handler {
  return (context) => context.json(roster.lines());
}

interface Heard {
  readonly roster: Roster;
  readonly modes: Modes;
  readonly tools: Tools;
  readonly quarantines: Quarantines;
  readonly letters: DeadLetters;
  readonly chains: Pick<ChainWatch, 'isForked'>;
  readonly database: Database;
  readonly clock: Clock;
  readonly otlpPort: number;
}

/** A stream of records is named after its agent first. */
const sealerOf = (stream: string): string => stream.split('/', 1)[0]!;

/** `otlpPort` is on the host where the sidecar found the control API. */
export function hearAgent(heard: Heard): Handler<ApiEnvironment> {
  const { roster, modes, tools, quarantines, letters, chains, otlpPort } = heard;
  return async (context) => {
    const beat = await bodyOf(context, heartbeat);
    mustSpeakFor(beat.name, context.get('caller'));
    if (beat.stream !== undefined) mustSpeakFor(sealerOf(beat.stream), context.get('caller'));
    await roster.heartbeat(beat);
    await noteChainBegan(heard.database, beat, context.get('caller').sender, heard.clock.nowMs());
    const answer: HeartbeatAnswer = {
      otlp_port: otlpPort,
      mode: modes.inForce(beat.name),
      tools: tools.revision(),
      quarantine: quarantines.revision(),
      replays: letters.queuedFor(beat.name),
      leave_stream: beat.stream !== undefined && chains.isForked(beat.stream),
    };
    return context.json(answer);
  };
}
