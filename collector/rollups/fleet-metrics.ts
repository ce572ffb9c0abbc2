// The fleet as metrics, read from the rollups in the background: a scrape asks nothing of a store. A round that took long
// is followed by a longer rest, so that reading never takes more than a small share of the store's time.

import type { AgentLine, BudgetLine } from '../../contract/budget.ts';
import type { Config } from '../../contract/config/config.ts';
import type { DeadLetterState } from '../../contract/dead-letter.ts';
import type { Clock } from '../../kit/clock.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import type { Family } from '../../kit/metrics.ts';
import { type EntrySql, entrySql } from './entry-sql.ts';
import { createFleetFigures, type FleetFigures, fleetFamilies, type Source } from './fleet-figures.ts';
import * as sql from './fleet-sql.ts';

export interface FleetMetrics {
  /** As of the last round; none before the first. */
  families(): readonly Family[];
  /** Resolves once the first round is over, whether or not it could ask everything. */
  readonly begun: Promise<void>;
  /** Resolves once nothing more is asked. */
  stop(): Promise<void>;
}

export interface FleetMetricsPorts {
  /** Resolves when there is somebody to ask. */
  readonly opened: Promise<void>;
  query<T>(statement: string, parameters: Record<string, unknown>): Promise<T[]>;
  budgets(): Promise<readonly BudgetLine[]>;
  agents(): readonly AgentLine[];
  letters(): Promise<Readonly<Record<DeadLetterState, number>>>;
  config(): Config;
  readonly clock: Clock;
  readonly log: Log;
}

export const ROUND_EVERY_MS = 10_000;
/** A round of four seconds is followed by at least 20 s of rest; what is shown is never older than half a minute. */
const REST_PER_MS = 5;
const REST_MS_MAX = 30_000;
const HOUR_S = 3_600;
/** Sums reach back so far at least, and twice as far at most. */
const LOOK_BACK_S = 24 * HOUR_S;

/** Counts from now on. */
export function startFleetMetrics(ports: FleetMetricsPorts): FleetMetrics {
  const { clock } = ports;
  const figures = createFleetFigures();
  let shown: readonly Family[] = [];
  let cancel = (): void => undefined;
  let stopped = false;
  const begun = ports.opened.then(round);
  let running = begun;

  async function round(): Promise<void> {
    const began = clock.monotonicMs();
    const config = ports.config();
    figures.showZeros(config);
    await readOnce(ports, figures, entrySql(config));
    shown = fleetFamilies(figures, ports.agents(), config, clock.nowMs());
    const earnedMs = (clock.monotonicMs() - began) * REST_PER_MS;
    const restMs = Math.min(REST_MS_MAX, Math.max(ROUND_EVERY_MS, earnedMs));
    if (stopped) return;
    cancel = clock.after(restMs, () => {
      running = round();
    });
  }

  return {
    families: () => shown,
    begun,
    async stop() {
      stopped = true;
      cancel();
      await running;
    },
  };
}

/** One round: each question by itself, so that one that fails leaves the others' answers fresh. */
async function readOnce(ports: FleetMetricsPorts, figures: FleetFigures, entry: EntrySql): Promise<void> {
  const { query, budgets, letters, clock } = ports;
  const nowS = Math.floor(clock.nowMs() / 1000);
  const { expression, parameters } = entry;
  const ago = { hour_ago: nowS - HOUR_S, quarter_ago: nowS - HOUR_S / 4, ...parameters };
  const ask = (name: string, asking: () => Promise<void>) =>
    attempt(ports.log, figures.failing, name, asking);

  await ask('calls', () => readSums(query, figures.calls, entry, nowS));
  await ask('tasks', () => readSums(query, figures.tasks, entry, nowS));
  await ask('call durations', async () => {
    figures.callTime.quantiles = await query(sql.callQuantiles(expression), ago);
  });
  await ask('task durations', async () => {
    figures.taskTime.quantiles = await query(sql.taskQuantiles(expression), ago);
  });
  await ask('queue depths', async () => {
    figures.queueDepths = await query(sql.queueDepths(expression), ago);
  });
  await ask('budgets', async () => {
    figures.budgets = await budgets();
  });
  await ask('dead letters', async () => {
    figures.letters = await letters();
  });
}

async function readSums<Row extends { readonly bound: number }>(
  query: FleetMetricsPorts['query'],
  source: Source<Row>,
  { expression, parameters }: EntrySql,
  nowS: number,
): Promise<void> {
  const fresh = Math.floor((nowS - LOOK_BACK_S) / HOUR_S) * HOUR_S;
  const since = source.since ?? fresh;
  const next = since <= fresh - LOOK_BACK_S ? fresh : null;
  const bounds = next === null ? [since] : [since, next];
  const rows = await query<Row>(source.statement(expression), { bounds, ...parameters });
  if (source.since === null) source.counters.mark(rows);
  else source.counters.take(rows, since, next);
  source.since = next ?? since;
}

async function attempt(
  log: Log,
  failing: Set<string>,
  name: string,
  asking: () => Promise<void>,
): Promise<void> {
  try {
    await asking();
    failing.delete(name);
  } catch (failure) {
    if (!failing.has(name)) log.warn('fleet_metrics.stale', { of: name, reason: sentenceOf(failure) });
    failing.add(name);
  }
}
