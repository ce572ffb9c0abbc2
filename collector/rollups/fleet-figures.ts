// What the fleet metrics hold between two rounds, and how the rollups' rows become series.

import { AGENT_HEALTHS, type AgentLine, type BudgetLine } from '../../contract/budget.ts';
import type { Config } from '../../contract/config/config.ts';
import {
  familyOf,
  figuresOf,
  type MetricName,
  MODEL_LABELS_MAX,
  OTHER,
  QUANTILES,
} from '../../contract/metrics.ts';
import { REFUSAL_CODES } from '../../contract/refusals.ts';
import { calendarOf } from '../../contract/windows.ts';
import { type Family, firstOf, type Sample } from '../../kit/metrics.ts';
import { budgetFamilies } from './budget-figures.ts';
import { type Counters, createCounters } from './counters.ts';
import {
  type CallSums,
  callSums,
  type Quantiles,
  type QueueDepth,
  type TaskSums,
  taskSums,
} from './fleet-sql.ts';
import { type Cap, type CounterSeries, createCap, createCounterSeries, type LabelValues } from './series.ts';

export const SERIES_MAX = 2_000;
/** Entries whose every refusal is shown from the start; of more, only what pages. */
const ENTRIES_SHOWN_MAX = 40;
const PAGED_REFUSALS = ['prohibited', 'out_of_scope'] as const;

export interface FleetFigures {
  readonly cap: Cap;
  /** A first refusal is then seen as an increase, and a quiet agent as quiet. */
  showZeros(config: Config): void;
  readonly series: readonly CounterSeries[];
  readonly calls: Source<CallSums>;
  readonly tasks: Source<TaskSums>;
  readonly callTime: Summary;
  readonly taskTime: Summary;
  queueDepths: readonly QueueDepth[];
  budgets: readonly BudgetLine[];
  /** How many, by state. */
  letters: Readonly<Record<string, number>>;
  /** What could not be asked, so that it is said once. */
  readonly failing: Set<string>;
}

/** A rollup's sums, and since when they are asked for; null before the first answer. */
export interface Source<Row extends { readonly bound: number }> {
  readonly counters: Counters<Row>;
  statement(agentExpression: string): string;
  since: number | null;
}

interface Summary {
  readonly name: MetricName;
  readonly sum: CounterSeries;
  readonly count: CounterSeries;
  quantiles: readonly Quantiles[];
}

export function createFleetFigures(): FleetFigures {
  const cap = createCap(SERIES_MAX);
  const counter = (name: MetricName, perUnit = 1) => createCounterSeries(name, cap, perUnit);
  const summary = (name: MetricName, perUnit: number): Summary => ({
    name,
    sum: counter(name, perUnit),
    count: counter(name),
    quantiles: [],
  });
  const calls = counter('outrider_fleet_calls_total');
  const refusals = counter('outrider_fleet_refusals_total');
  const cost = counter('outrider_fleet_cost_dollars_total', 1e9);
  const tokens = counter('outrider_fleet_tokens_total');
  const tasks = counter('outrider_fleet_tasks_total');
  const callTime = summary('outrider_fleet_call_duration_seconds', 1e3);
  const taskTime = summary('outrider_fleet_task_duration_seconds', 1);

  const model = firstOf(MODEL_LABELS_MAX, OTHER);
  const tokensOf = (type: 'input' | 'output' | 'cached') => ({
    series: tokens,
    read: (row: CallSums) =>
      some(Number(row[type]), () => ({ agent: row.agent, model: model(row.model), type })),
  });
  const tasksOf = (state: 'begun' | 'done' | 'failed') => ({
    series: tasks,
    read: ({ agent, ...row }: TaskSums) => [{ agent, state }, Number(row[state])] as const,
  });
  return {
    cap,
    showZeros: (config) => showZeros(config, calls, refusals),
    series: [calls, refusals, cost, tokens, tasks],
    calls: {
      since: null,
      statement: callSums,
      counters: createCounters<CallSums>([
        { series: calls, read: ({ agent, status, count }) => [{ agent, status }, Number(count)] },
        {
          series: refusals,
          read: ({ agent, refusal, count }) => (refusal ? [{ agent, refusal }, Number(count)] : null),
        },
        {
          series: cost,
          read: (row) => some(Number(row.nanodollars), () => ({ agent: row.agent, model: model(row.model) })),
        },
        ...(['input', 'output', 'cached'] as const).map(tokensOf),
        { series: callTime.sum, read: ({ agent, milliseconds }) => [{ agent }, milliseconds] },
        { series: callTime.count, read: ({ agent, count }) => [{ agent }, Number(count)] },
      ]),
    },
    tasks: {
      since: null,
      statement: taskSums,
      counters: createCounters<TaskSums>([
        ...(['begun', 'done', 'failed'] as const).map(tasksOf),
        { series: taskTime.sum, read: ({ agent, seconds }) => [{ agent }, seconds] },
        {
          series: taskTime.count,
          read: ({ agent, done, failed }) => [{ agent }, Number(done) + Number(failed)],
        },
      ]),
    },
    callTime,
    taskTime,
    queueDepths: [],
    budgets: [],
    letters: {},
    failing: new Set(),
  };
}

/** Models that were only asked for, and refused, take no place and make no series of nothing. */
function some(amount: number, labels: () => LabelValues) {
  return amount > 0 ? ([labels(), amount] as const) : null;
}

function showZeros(config: Config, calls: CounterSeries, refusals: CounterSeries): void {
  const entries = [...config.agents.keys()];
  const codes = entries.length <= ENTRIES_SHOWN_MAX ? REFUSAL_CODES : PAGED_REFUSALS;
  for (const agent of entries) {
    calls.add({ agent, status: 'success' }, 0);
    for (const refusal of codes) refusals.add({ agent, refusal }, 0);
  }
}

export function fleetFamilies(
  figures: FleetFigures,
  agents: readonly AgentLine[],
  config: Config,
  nowMs: number,
): Family[] {
  const healths = agents.map(({ health }) => health);
  return [
    ...figures.series.map((series) => series.family()),
    summaryFamily(figures.callTime),
    summaryFamily(figures.taskTime),
    familyOf(
      'outrider_agents',
      AGENT_HEALTHS.map((health) => ({
        labels: { health },
        value: healths.filter((each) => each === health).length,
      })),
    ),
    familyOf(
      'outrider_dead_letters',
      Object.entries(figures.letters).map(([state, value]) => ({ labels: { state }, value })),
    ),
    ...budgetFamilies(figures.budgets, config, calendarOf(config.timezone), nowMs),
    familyOf(
      'outrider_fleet_queue_depth',
      figures.queueDepths.map(({ agent, depth }) => ({ labels: { agent }, value: depth })),
    ),
    ...figuresOf({ outrider_fleet_series_dropped: figures.cap.dropped }),
  ];
}

function summaryFamily({ name, sum, count, quantiles }: Summary): Family {
  const suffixed = (series: CounterSeries, suffix: string): Sample[] =>
    series.family().samples.map((sample) => ({ ...sample, suffix }));
  const points = quantiles.flatMap(({ agent, seconds }) =>
    QUANTILES.map((quantile, i) => ({
      labels: { agent, quantile: String(quantile) },
      value: seconds[i] ?? Number.NaN,
    })),
  );
  return familyOf(name, [...points, ...suffixed(sum, '_sum'), ...suffixed(count, '_count')]);
}
