// Budgets as metrics: limit, spent, held, and what will have been spent at the window's end if it goes on like this.

import type { BudgetLine } from '../../contract/budget.ts';
import { agentNamed, type BudgetWindow, type Config } from '../../contract/config/config.ts';
import { BUDGET_LEVELS, familyOf, type MetricName } from '../../contract/metrics.ts';
import type { Calendar } from '../../contract/windows.ts';
import type { Family } from '../../kit/metrics.ts';
import type { LabelValues } from './series.ts';

const UNITS = { nanodollars: ['dollars', 1e9], tokens: ['tokens', 1] } as const;
const KINDS = ['limit', 'spent', 'held', 'projected'] as const;
/** Before this share of the window has passed, a projection says more of the clock than of the spending. */
const SHARE_PASSED_MIN = 0.01;

interface Shown {
  readonly labels: LabelValues;
  readonly unit: BudgetLine['unit'];
  readonly figures: Readonly<Record<(typeof KINDS)[number], number>>;
}

/** One series for each budget of fleet, departments and entries; a pattern shows the fullest of its names. */
export function budgetFamilies(
  lines: readonly BudgetLine[],
  config: Config,
  calendar: Calendar,
  nowMs: number,
): Family[] {
  const fullest = new Map<string, Shown>();
  for (const line of lines) {
    if (!BUDGET_LEVELS.includes(line.level)) continue;
    const shown = shownOf(line, config, calendar, nowMs);
    const key = JSON.stringify([shown.labels, shown.unit]);
    const known = fullest.get(key);
    if (!known || shareOf(shown) > shareOf(known)) fullest.set(key, shown);
  }
  return Object.entries(UNITS).flatMap(([unit, [suffix, perUnit]]) =>
    KINDS.map((kind) =>
      familyOf(
        `outrider_budget_${kind}_${suffix}` satisfies MetricName,
        [...fullest.values()]
          .filter((shown) => shown.unit === unit)
          .map(({ labels, figures }) => ({ labels, value: figures[kind] / perUnit })),
      ),
    ),
  );
}

function shownOf(line: BudgetLine, config: Config, calendar: Calendar, nowMs: number): Shown {
  const { level, name, window, unit } = line;
  const spent = Number(line.posted);
  const label = level === 'agent' ? (agentNamed(config, name)?.pattern ?? name) : name;
  const projected = spent / sharePassed(window as BudgetWindow, calendar, nowMs);
  return {
    labels: { level, name: label, window },
    unit,
    figures: { limit: Number(line.limit), spent, held: Number(line.held), projected },
  };
}

function sharePassed(window: BudgetWindow, calendar: Calendar, nowMs: number): number {
  const { startsAtMs, endsAtMs } = calendar(window, nowMs);
  if (endsAtMs === null) return 1;
  return Math.max(SHARE_PASSED_MIN, (nowMs - startsAtMs) / (endsAtMs - startsAtMs));
}

const shareOf = ({ figures }: Shown): number => (figures.spent + figures.held) / Math.max(1, figures.limit);
