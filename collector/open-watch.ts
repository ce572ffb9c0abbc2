// What acts without being asked: a mode or a quarantine that ends, a tool that changed, an agent that degrades, an alert
// that fires.

import { startAlerting } from './alerting.ts';
import type { Alerts } from './alerts/alerts.ts';
import { createDegradations } from './control/degradations.ts';
import { type Modes, openModes } from './control/modes.ts';
import { followNeighbours } from './control/neighbours.ts';
import { openQuarantines, type Quarantines } from './control/quarantines.ts';
import { openTools, type Tools } from './control/tools.ts';
import { startDegradationWatch } from './degradation.ts';
import type { Audit } from './open-audit.ts';
import type { Control } from './open-control.ts';
import type { Intake } from './open-intake.ts';
import type { Retention } from './retention.ts';
import type { Start } from './starting.ts';
import { missingParts, type Stores } from './stores.ts';

export interface Watch {
  readonly modes: Modes;
  readonly tools: Tools;
  readonly quarantines: Quarantines;
  readonly alerts: Alerts;
}

export async function openWatch(
  { lifecycle, inForce, env, clock, log }: Start,
  stores: Stores,
  { ledger, roster, recalls, secrets, tokens, sessions }: Control,
  { pipeline }: Intake,
  { audit, anchors }: Audit,
  { haltedByMs }: Retention,
): Promise<Watch> {
  const { database, store, sumsInDoubt } = stores;
  const modes = await openModes({
    database,
    config: inForce,
    clock,
    log,
    changed: () => recalls.tellAll((agent) => ({ agent, in_force: modes.inForce(agent) })),
  });
  lifecycle.onStop('modes', () => modes.close());
  const tools: Tools = await openTools({
    database,
    clock,
    log,
    changed: () => recalls.tellTools({ revision: tools.revision() }),
  });
  const quarantines: Quarantines = await openQuarantines({
    database,
    clock,
    log,
    changed: () => recalls.tellQuarantine({ revision: quarantines.revision() }),
  });
  lifecycle.onStop('quarantine', () => quarantines.close());
  const lists = [tokens, sessions, modes, tools, quarantines];
  const neighbours = followNeighbours({ database, lists, clock, log });
  lifecycle.onStop('neighbours', () => neighbours.close());
  const degradation = startDegradationWatch({
    ask: (sql, parameters) => store.query(sql, parameters),
    degradations: createDegradations(database, () => clock.nowMs()),
    quarantines,
    config: inForce,
    agents: () => new Set(roster.lines().map(({ name }) => name)).size,
    clock,
    log,
  });
  lifecycle.onStop('degradation', () => degradation.close());
  const alerts = startAlerting({
    config: inForce,
    ask: (sql, parameters) => store.query(sql, parameters),
    database,
    ledger,
    roster,
    missing: () => missingParts(stores).map((part) => part.replace(/:.*/, '')),
    queue: () => pipeline.depth(),
    standing: () => pipeline.missing(),
    setAside: () => pipeline.counters().queue.setAside,
    sumsInDoubt: sumsInDoubt.list,
    behind: () => audit.behind(),
    anchors: () => anchors.states(),
    haltedByMs,
    env,
    secrets,
    clock,
    log,
  });
  lifecycle.onStop('alerts', () => alerts.close());
  return { modes, tools, quarantines, alerts };
}
