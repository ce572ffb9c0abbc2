// The fleet at a glance: who needs me, what does it cost, what is failing.

import type { ReactNode } from 'react';
import type { AgentLine, BudgetLine } from '../../../../contract/budget.ts';
import type { FleetAnswer, Range } from '../../../../contract/console.ts';
import { count, plural, share, short } from '../format.ts';
import { useLive } from '../live.tsx';
import { AgentsTable } from '../parts/agents-table.tsx';
import { Budgets } from '../parts/budgets.tsx';
import { Needs, needsOf } from '../parts/needs.tsx';
import { RangePicker, rangeWords } from '../parts/range-picker.tsx';
import { RefusalsTable } from '../parts/refusals-table.tsx';
import { Section } from '../parts/section.tsx';
import { Answer, Nothing } from '../parts/states.tsx';
import { UsageCharts } from '../parts/usage-charts.tsx';
import { Figure, Money } from '../parts/values.tsx';
import { rangeOf } from '../route.ts';
import { useAlerts } from '../use-alerts.ts';
import { useAnswer } from '../use-answer.ts';

/** Open tasks may be thousands: they are shown with their agent. */
const isOverview = ({ level }: BudgetLine) => level !== 'task';

export function FleetPage({ query }: { readonly query: URLSearchParams }): ReactNode {
  const range = rangeOf(query);
  const { pulse } = useLive();
  const fleet = useAnswer<FleetAnswer>(`/v1/fleet?range=${range}`, pulse);
  const budgets = useAnswer<BudgetLine[]>('/v1/budgets', pulse);
  const instances = useAnswer<AgentLine[]>('/v1/agents', pulse);
  const alerts = useAlerts(pulse);
  return (
    <>
      <div className="page-head">
        <h1>{fleet.answer?.fleet ?? 'Fleet'}</h1>
        <InstancesLine instances={instances.answer ?? []} />
        <RangePicker range={range} />
      </div>
      <Answer of={fleet}>
        {(answer) => (
          <>
            <Section title="Who needs you">
              <Needs
                needs={needsOf({
                  fleet: answer,
                  budgets: budgets.answer ?? [],
                  instances: instances.answer ?? [],
                  alerts,
                  nowMs: Date.now(),
                })}
                range={rangeWords(range)}
              />
            </Section>
            {answer.sums.calls === 0 ? (
              <NoCalls range={range} />
            ) : (
              <>
                <Figures answer={answer} />
                <UsageCharts series={answer.series} sums={answer.sums} />
              </>
            )}
            <Section title="Budgets">
              <Answer of={budgets}>{(lines) => <BudgetsOrNone lines={lines.filter(isOverview)} />}</Answer>
            </Section>
            <Section title="Agents">
              <AgentsTable agents={answer.agents} instances={instances.answer ?? []} />
            </Section>
            {answer.refusals.length > 0 && (
              <Section title="Refusals">
                <RefusalsTable refusals={answer.refusals} withAgent range={range} />
              </Section>
            )}
          </>
        )}
      </Answer>
    </>
  );
}

function InstancesLine({ instances }: { readonly instances: readonly AgentLine[] }): ReactNode {
  const n = (health: AgentLine['health']) => instances.filter((line) => line.health === health).length;
  const [ok, degraded, away] = [n('ok'), n('degraded'), n('away')];
  return (
    <p className="page-sub">
      {plural(new Set(instances.map(({ name }) => name)).size, 'agent')} · {plural(ok, 'instance')} ok
      {degraded > 0 && <span data-tone="failed"> · {count(degraded)} degraded</span>}
      {away > 0 && <span data-tone="refused"> · {count(away)} away</span>}
    </p>
  );
}

function Figures({ answer: { sums } }: { readonly answer: FleetAnswer }): ReactNode {
  return (
    <dl className="figures">
      <Figure
        name="Spent"
        note={sums.unpriced > 0 && `${plural(sums.unpriced, 'call')} without a known price`}
      >
        <Money nanodollars={sums.cost_nanodollars} />
      </Figure>
      <Figure name="Calls">{short(sums.calls)}</Figure>
      <Figure name="Failed" note={sums.failed > 0 && share(sums.failed, sums.calls)}>
        {short(sums.failed)}
      </Figure>
      <Figure name="Refused" note={sums.refused > 0 && share(sums.refused, sums.calls)}>
        {short(sums.refused)}
      </Figure>
      <Figure name="Would refuse" note={sums.would_refuse > 0 && 'if all were enforced'}>
        {short(sums.would_refuse)}
      </Figure>
      <Figure name="Tokens in" note={sums.tokens_cached > 0 && `${short(sums.tokens_cached)} from a cache`}>
        {short(sums.tokens_in)}
      </Figure>
      <Figure name="Tokens out">{short(sums.tokens_out)}</Figure>
    </dl>
  );
}

function BudgetsOrNone({ lines }: { readonly lines: readonly BudgetLine[] }): ReactNode {
  if (lines.length > 0) return <Budgets lines={lines} />;
  return <p className="empty">No budget is set: everything is metered, nothing is limited.</p>;
}

function NoCalls({ range }: { readonly range: Range }): ReactNode {
  return (
    <Nothing title={`No call in the last ${rangeWords(range)}`}>
      Point an agent at its sidecar (<code>outrider env --agent NAME</code> prints how), and its calls appear
      here within seconds.
    </Nothing>
  );
}
