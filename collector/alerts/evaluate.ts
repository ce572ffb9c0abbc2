// One round: every definition that is due is asked, what was found meets what was open, and the outcome is kept in one
// transaction. A question that fails changes nothing: what was firing goes on firing, and the failure has a name.

import type { Incident, Silence, Told } from '../../contract/alert.ts';
import type { Config } from '../../contract/config/config.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import type { Book } from './book.ts';
import { channelsFor } from './channels.ts';
import type { AlertDefinition, FigureName } from './definition.ts';
import { type Finding, findingOf, overThreshold, type Row } from './finding.ts';
import { pageOf, type Scene } from './page.ts';
import { silences } from './silence.ts';
import { type Step, stepsOf } from './steps.ts';

/** Asks the store; parameters by `{name:Type}`. */
export type Ask = (sql: string, parameters: Record<string, unknown>) => Promise<readonly Row[]>;
export type Figures = Readonly<Record<FigureName, () => Promise<readonly Row[]>>>;

export interface EvaluateOptions {
  /** With their durations at the pace of the evaluation. */
  readonly definitions: readonly AlertDefinition[];
  /** The one in force. */
  config(): Config;
  readonly scene: Scene;
  readonly pace: number;
  readonly book: Book;
  readonly ask: Ask;
  readonly figures: Figures;
  readonly log: Log;
}

export interface Evaluation {
  /** Returns true when channels have something to be told. Throws what the control database throws. */
  round(nowMs: number): Promise<boolean>;
  /** What fires or is about to. */
  current(): readonly Incident[];
  /** Why an alert's question could not be answered in its last round, by id. */
  failing(): ReadonlyMap<string, string>;
  failures(): number;
}

const IDLE_MS = 15 * 60_000;
const DAY_MS = 86_400_000;
const REFRESH_MS = 60_000;

export function createEvaluation(options: EvaluateOptions): Evaluation {
  const { definitions, config, pace, book, log } = options;
  const askedMs = new Map<string, number>();
  const failing = new Map<string, string>();
  const byId = new Map(definitions.map((definition) => [definition.id, definition]));
  const repeating = definitions.filter(({ again }) => again);
  const againMs = Math.max(0, ...repeating.map(({ again }) => again!.within));
  let failures = 0;
  let current: readonly Incident[] = [];

  async function findingsOf(definition: AlertDefinition, nowMs: number): Promise<Finding[] | null> {
    try {
      const rows = await rowsOf(definition, options, nowMs);
      if (failing.delete(definition.id)) log.info('alert_evaluated_again', { alert: definition.id });
      return overThreshold(definition, rows.flatMap(findingOf), config(), pace);
    } catch (failure) {
      failures += 1;
      const reason = sentenceOf(failure);
      if (!failing.has(definition.id)) log.error('alert_not_evaluated', { alert: definition.id, reason });
      failing.set(definition.id, reason);
      return null;
    }
  }

  function isDue({ id, every }: AlertDefinition, nowMs: number): boolean {
    if (nowMs - (askedMs.get(id) ?? -Infinity) < every) return false;
    askedMs.set(id, nowMs);
    return true;
  }

  return {
    async round(nowMs) {
      const open = await book.open();
      const quiet = await book.silences(nowMs);
      const fired = new Map<string, number>();
      for (const { alert, key, atMs } of await book.lastFired(
        repeating.map(({ id }) => id),
        nowMs - againMs,
      ))
        fired.set(`${alert} ${key}`, atMs);
      const steps: Step[] = [];
      for (const definition of definitions) {
        if (!isDue(definition, nowMs)) continue;
        const findings = await findingsOf(definition, nowMs);
        if (!findings) continue;
        const { id } = definition;
        steps.push(
          ...stepsOf({
            nowMs,
            definition,
            findings,
            open: open.filter(({ alert }) => alert === id),
            lastFiredMs: (key) => fired.get(`${id} ${key}`),
            isSilenced: (incident) => isSilenced(quiet, incident),
            refreshMs: REFRESH_MS / pace,
          }),
        );
      }
      const kept = steps.map((step) => ({ ...step, sends: sendsOf(step, byId, options) }));
      if (kept.length > 0) await book.keep(kept, nowMs);
      current = afterSteps(open, steps);
      for (const { change, incident } of steps) {
        const { alert, key, severity, summary } = incident;
        if (change === 'fired' || change === 'resolved')
          log.warn(`alert_${change}`, { alert, key, severity, summary });
      }
      return kept.some(({ sends }) => sends.length > 0);
    },
    current: () => current,
    failing: () => failing,
    failures: () => failures,
  };
}

async function rowsOf(
  { sql, figure, window, history }: AlertDefinition,
  { ask, figures, config, pace }: EvaluateOptions,
  nowMs: number,
): Promise<readonly Row[]> {
  const parameters = {
    now: nowMs,
    since: Math.round(nowMs - window),
    history: Math.round(nowMs - history),
    idle: Math.round(IDLE_MS / pace),
    day: Math.round(DAY_MS / pace),
    margin: DAY_MS,
    pace,
    timezone: config().timezone,
  };
  const counted = figure ? await figures[figure]() : [];
  return sql === undefined ? counted : [...counted, ...(await ask(sql, parameters))];
}

const isSilenced = (quiet: readonly Silence[], incident: Incident): boolean =>
  quiet.some((silence) => silences(silence, incident));

function sendsOf(
  { incident, tell }: Step,
  definitions: ReadonlyMap<string, AlertDefinition>,
  { config, scene }: EvaluateOptions,
): Told[] {
  const definition = definitions.get(incident.alert);
  if (!tell || !definition) return [];
  const page = pageOf(tell, definition, incident, scene);
  return channelsFor(config(), incident.severity, incident.owner).map((channel) => ({ channel, page }));
}

function afterSteps(open: readonly Incident[], steps: readonly Step[]): Incident[] {
  const now = new Map(open.map((incident) => [`${incident.alert} ${incident.key}`, incident]));
  for (const { incident, change } of steps) {
    const name = `${incident.alert} ${incident.key}`;
    if (change === 'resolved' || change === 'forgotten') now.delete(name);
    else now.set(name, incident);
  }
  return [...now.values()];
}
