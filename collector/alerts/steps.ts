// The state machine of alerts, pure: from what was found this round and what was open before, what becomes of each.
//
//   found ──(for)──▶ firing ──(over for `keep`)──▶ resolved
//     └──(over)──▶ forgotten

import type { Incident, Severity } from '../../contract/alert.ts';
import type { AlertDefinition } from './definition.ts';
import { type Finding, filled } from './finding.ts';

/** What becomes of an incident in one round. */
export interface Step {
  readonly incident: Incident;
  readonly change: 'found' | 'fired' | 'seen' | 'told' | 'resolved' | 'forgotten';
  /** What the channels are to be told, if anything. */
  readonly tell: 'trigger' | 'resolve' | null;
}

export interface Round {
  readonly nowMs: number;
  /** The definition with its durations at the pace of the evaluation. */
  readonly definition: AlertDefinition;
  readonly findings: readonly Finding[];
  /** Of this alert, unresolved. */
  readonly open: readonly Incident[];
  /** When a key last fired at the definition's own severity, for alerts that say `again`. */
  lastFiredMs(key: string): number | undefined;
  isSilenced(incident: Incident): boolean;
  /** An incident that only goes on is kept again after so long. */
  readonly refreshMs: number;
}

/** An agent in a frenzy fires at ever new targets: so many of one alert and agent are told, the rest only listed. */
export const TOLD_TOGETHER_MAX = 10;
/** Of one alert; what is found beyond is found again once others are over. */
export const OPEN_MAX = 1_000;

export function stepsOf(round: Round): Step[] {
  const { open, findings } = round;
  const known = new Map(open.map((incident) => [incident.key, incident]));
  const told = countTold(open);
  const found = new Set<string>();
  const steps: Step[] = [];
  let openCount = known.size;
  for (const finding of findings) {
    if (found.has(finding.key)) continue;
    found.add(finding.key);
    const before = known.get(finding.key);
    if (!before && ++openCount > OPEN_MAX) continue;
    const step = stepOfFound(round, finding, before, told);
    if (isWorthKeeping(step, before, round)) steps.push(step);
    if (step.tell && !before?.toldMs) told.set(finding.agent, (told.get(finding.agent) ?? 0) + 1);
  }
  for (const incident of open) if (!found.has(incident.key)) steps.push(...stepOfOver(round, incident));
  return steps;
}

function isWorthKeeping(
  { change, incident }: Step,
  before: Incident | undefined,
  { nowMs, refreshMs }: Round,
): boolean {
  if (change !== 'seen' || !before) return true;
  return incident.summary !== before.summary || nowMs - before.seenMs >= refreshMs;
}

function stepOfFound(
  round: Round,
  finding: Finding,
  before: Incident | undefined,
  told: ReadonlyMap<string, number>,
): Step {
  const { nowMs, definition } = round;
  const incident: Incident = {
    ...(before ?? begun(definition, nowMs)),
    ...finding,
    summary: filled(definition.summary, finding, definition.unit),
    seenMs: nowMs,
  };
  const fires = incident.firedMs === null && nowMs - incident.sinceMs >= definition.for;
  if (incident.firedMs === null && !fires) return { incident, change: before ? 'seen' : 'found', tell: null };
  const firing = fires
    ? { ...incident, firedMs: nowMs, severity: severityNow(round, finding.key) }
    : incident;
  // What is no agent's, such as a department's budget, is as many as the config says.
  const crowded = finding.agent !== '' && (told.get(finding.agent) ?? 0) >= TOLD_TOGETHER_MAX;
  if (!isToBeTold(round, firing, crowded))
    return { incident: firing, change: fires ? 'fired' : 'seen', tell: null };
  return { incident: { ...firing, toldMs: nowMs }, change: fires ? 'fired' : 'told', tell: 'trigger' };
}

const begun = ({ id, severity }: AlertDefinition, nowMs: number) => ({
  id: null,
  alert: id,
  severity: severity as Severity,
  sinceMs: nowMs,
  firedMs: null,
  toldMs: null,
  resolvedMs: null,
  acknowledgedBy: '',
});

function severityNow({ definition, lastFiredMs, nowMs }: Round, key: string): Severity {
  const { again, severity } = definition;
  const last = again && lastFiredMs(key);
  return last !== undefined && nowMs - last < again!.within ? again!.severity : severity;
}

/** The first time, unless silenced or one of too many; then again and again until somebody has acknowledged it. */
function isToBeTold(round: Round, incident: Incident, crowded: boolean): boolean {
  if (round.isSilenced(incident)) return false;
  if (incident.toldMs === null) return !crowded;
  return incident.acknowledgedBy === '' && round.nowMs - incident.toldMs >= round.definition.repeat;
}

function stepOfOver({ nowMs, definition }: Round, incident: Incident): Step[] {
  if (incident.firedMs === null) return [{ incident, change: 'forgotten', tell: null }];
  if (nowMs - incident.seenMs < definition.keep) return [];
  const tell = incident.toldMs === null ? null : 'resolve';
  return [{ incident: { ...incident, resolvedMs: nowMs }, change: 'resolved', tell }];
}

function countTold(open: readonly Incident[]): Map<string, number> {
  const told = new Map<string, number>();
  for (const { agent, toldMs } of open) if (toldMs !== null) told.set(agent, (told.get(agent) ?? 0) + 1);
  return told;
}
