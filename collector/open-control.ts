// Who may join, who lives, who may spend what, and which calls wait for somebody: what the control database is asked for.

import type { Secrets } from '../kit/secrets.ts';
import { createRecalls, type Recalls } from './api/events.ts';
import { type DeadLetters, openDeadLetters } from './control/dead-letters.ts';
import { type Holds, openHolds } from './control/holds.ts';
import { createKeptBodies, type KeptBodies } from './control/kept-bodies.ts';
import { type LearningOptions, learnIfRestored } from './control/learning.ts';
import { createLedger, type Ledger } from './control/ledger.ts';
import { createPolicies, type Policies } from './control/policies.ts';
import { openRaises, type Raises } from './control/raises.ts';
import { openRoster, type Roster } from './control/roster.ts';
import { openSessions, type Sessions } from './control/sessions.ts';
import { openTokens, type Tokens } from './control/tokens.ts';
import type { Start } from './starting.ts';
import type { Stores } from './stores.ts';

export interface Control {
  readonly tokens: Tokens;
  readonly sessions: Sessions;
  readonly secrets: Secrets;
  readonly roster: Roster;
  readonly recalls: Recalls;
  readonly learning: LearningOptions;
  readonly policies: Policies;
  readonly ledger: Ledger;
  readonly holds: Holds;
  readonly raises: Raises;
  readonly letters: DeadLetters;
  readonly bodies: KeptBodies;
}

export async function openControl(starting: Start, { database }: Stores): Promise<Control> {
  const { config, clock, secrets, token, places, inForce, lifecycle, log } = starting;
  const tokens = await openTokens({ database, directory: places.root, clock, given: token });
  const sessions = await openSessions({ database, clock, isInForce: tokens.isInForce });
  const roster = await openRoster(database, clock);
  const recalls = createRecalls();
  const learning = { database, config: inForce, clock, log };
  await learnIfRestored(learning, places.own);
  const ledger = createLedger({ database, config: inForce, clock, roster, onRecall: recalls.publish });
  const holds = openHolds({ database, config: inForce, clock, log, onRecall: recalls.publish });
  lifecycle.onStop('holds', () => holds.close());
  const raises = await openRaises({ database, config: inForce, clock, log, onRecall: recalls.publish });
  lifecycle.onStop('raises', () => raises.close());
  const letters = await openDeadLetters({
    database,
    retention: config.retention,
    queued: (agent) => recalls.tellReplay({ agent }),
    clock,
    log,
  });
  lifecycle.onStop('dead letters', () => letters.close());
  const bodies = createKeptBodies(database, clock);
  const policies = createPolicies(database, clock);
  return {
    tokens,
    sessions,
    secrets,
    roster,
    recalls,
    learning,
    policies,
    ledger,
    holds,
    raises,
    letters,
    bodies,
  };
}
