// The two charts that every overview begins with: calls as they ended, and what they cost.

import type { ReactNode } from 'react';
import type { Step, Sums } from '../../../../contract/console.ts';
import { count, plural } from '../format.ts';
import { Chart, timeLabel } from './chart.tsx';
import { Money } from './values.tsx';

export function UsageCharts({
  series,
  sums,
}: {
  readonly series: readonly Step[];
  readonly sums: Sums;
}): ReactNode {
  const times = series.map(({ time }) => time);
  const of = (value: (step: Step) => number) => series.map(value);
  return (
    <div className="charts">
      <Chart
        title="Calls"
        times={times}
        parts={[
          { name: 'ok', tone: 'plain', values: of((s) => s.calls - s.failed - s.refused - s.escalated) },
          { name: 'waiting', tone: 'waits', values: of((s) => s.escalated) },
          { name: 'refused', tone: 'refused', values: of((s) => s.refused) },
          { name: 'failed', tone: 'failed', values: of((s) => s.failed) },
        ]}
        whole={<CallsRead sums={sums} />}
        step={(index) => (
          <>
            {timeLabel(times, index)} · <CallsRead sums={series[index]!} />
          </>
        )}
        scale={(max) => count(max)}
      />
      <Chart
        title="Cost"
        times={times}
        parts={[{ name: 'cost', tone: 'cost', values: of((s) => Number(s.cost_nanodollars)) }]}
        whole={<Money nanodollars={sums.cost_nanodollars} />}
        step={(index) => (
          <>
            {timeLabel(times, index)} · <Money nanodollars={series[index]!.cost_nanodollars} />
          </>
        )}
        scale={(max) => dollars(max)}
      />
    </div>
  );
}

function CallsRead({ sums }: { readonly sums: Sums }): ReactNode {
  return (
    <>
      {plural(sums.calls, 'call')}
      {sums.failed > 0 && <span data-tone="failed"> · {count(sums.failed)} failed</span>}
      {sums.refused > 0 && <span data-tone="refused"> · {count(sums.refused)} refused</span>}
      {sums.escalated > 0 && <span data-tone="waits"> · {count(sums.escalated)} waiting</span>}
    </>
  );
}

/** A scale's end: three digits are enough. */
function dollars(nanodollars: number): string {
  const amount = nanodollars / 1e9;
  return `$${amount >= 100 ? amount.toFixed(0) : Number(amount.toPrecision(3))}`;
}
