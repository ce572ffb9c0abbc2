// One agent: how it is, what it may spend, what it did, through what, and what it was refused.

import type { ReactNode } from 'react';
import type { AgentLine, BudgetLine } from '../../../../contract/budget.ts';
import type { AgentAnswer, CallsAnswer } from '../../../../contract/console.ts';
import { duration, plural, share, short } from '../format.ts';
import { useLive } from '../live.tsx';
import { HealthOf } from '../parts/agents-table.tsx';
import { Budgets } from '../parts/budgets.tsx';
import { CallsTable } from '../parts/calls-table.tsx';
import { PartsTable } from '../parts/parts-table.tsx';
import { RangePicker } from '../parts/range-picker.tsx';
import { RefusalsTable } from '../parts/refusals-table.tsx';
import { Section } from '../parts/section.tsx';
import { Answer, Nothing } from '../parts/states.tsx';
import { TasksTable } from '../parts/tasks-table.tsx';
import { UsageCharts } from '../parts/usage-charts.tsx';
import { Ago, Figure, Money } from '../parts/values.tsx';
import { callsHref, rangeOf } from '../route.ts';
import { useAnswer } from '../use-answer.ts';

const RECENT = 20;

export function AgentPage({
  agent,
  query,
}: {
  readonly agent: string;
  readonly query: URLSearchParams;
}): ReactNode {
  const range = rangeOf(query);
  const { pulse } = useLive();
  const name = encodeURIComponent(agent);
  const answered = useAnswer<AgentAnswer>(`/v1/agents/${name}?range=${range}`, pulse);
  const recent = useAnswer<CallsAnswer>(`/v1/calls?agent=${name}&range=${range}&limit=${RECENT}`, pulse);
  const budgets = useAnswer<BudgetLine[]>('/v1/budgets', pulse);
  const all = useAnswer<AgentLine[]>('/v1/agents', pulse);
  const instances = (all.answer ?? []).filter((line) => line.name === agent);
  return (
    <>
      <div className="page-head">
        <h1>{agent}</h1>
        <p className="page-sub">
          <HealthOf instances={instances} />
        </p>
        <RangePicker range={range} />
      </div>
      <Answer of={answered}>
        {(answer) => (
          <>
            <Entry answer={answer} instances={instances} />
            {answer.sums.calls === 0 ? (
              <Nothing title="No call in this time">
                {answer.entry === null && 'No entry of the configuration rules an agent of this name.'}
              </Nothing>
            ) : (
              <>
                <Figures answer={answer} />
                <UsageCharts series={answer.series} sums={answer.sums} />
              </>
            )}
            <BudgetsOf answer={answer} lines={budgets.answer ?? []} />
            <PartsTable title="Models" parts={answer.models} />
            <PartsTable title="Upstreams" parts={answer.upstreams} />
            {answer.refusals.length > 0 && (
              <Section title="Refusals">
                <RefusalsTable refusals={answer.refusals} range={range} />
              </Section>
            )}
            <TasksTable tasks={answer.tasks} agent={agent} />
          </>
        )}
      </Answer>
      {recent.answer && recent.answer.calls.length > 0 && (
        <Section title="Recent calls" end={<a href={callsHref({ agent, range })}>All its calls</a>}>
          <CallsTable calls={recent.answer.calls} withAgent={false} />
        </Section>
      )}
    </>
  );
}

function Entry({
  answer: { entry },
  instances,
}: {
  readonly answer: AgentAnswer;
  readonly instances: readonly AgentLine[];
}): ReactNode {
  const modes = [...new Set(instances.map(({ mode }) => mode))].filter((mode) => mode !== '');
  const policies = [...new Set(instances.map(({ policy }) => policy))].filter((policy) => policy !== '');
  const facts: (readonly [string, ReactNode])[] = [
    ['Mode', modes.join(', ') || entry?.mode],
    ['Role', entry?.roles.join(', ')],
    ['Department', entry?.department],
    ['Owner', entry?.owner],
    ['Version', entry?.version],
    ['Entry', entry?.pattern.includes('*') ? <code key="entry">{entry.pattern}</code> : null],
    ['Policy', policies.map((digest) => <Digest key={digest} digest={digest} />)],
    [
      'Instances',
      instances.length > 0 ? instances.map((line) => <Instance key={line.instance} line={line} />) : null,
    ],
  ];
  return (
    <dl className="facts">
      {facts
        .filter(([, value]) => value && (!Array.isArray(value) || value.length > 0))
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

const Digest = ({ digest }: { readonly digest: string }): ReactNode => (
  <code title={digest}>{digest.slice(0, 12)}</code>
);

const Instance = ({ line }: { readonly line: AgentLine }): ReactNode => (
  <span className="instance">
    {line.instance}
    {line.health === 'away' && (
      <small>
        {' '}
        away, seen <Ago iso={line.last_seen} />
      </small>
    )}
  </span>
);

function Figures({ answer: { sums, p50_ms, p95_ms } }: { readonly answer: AgentAnswer }): ReactNode {
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
      <Figure name="Would refuse">{short(sums.would_refuse)}</Figure>
      <Figure name="Median">{duration(p50_ms)}</Figure>
      <Figure name="95th percentile">{duration(p95_ms)}</Figure>
    </dl>
  );
}

/** Every budget that binds it: its own, its tasks', its department's, the fleet's. */
function BudgetsOf({
  answer,
  lines,
}: {
  readonly answer: AgentAnswer;
  readonly lines: readonly BudgetLine[];
}): ReactNode {
  const own = lines.filter(
    ({ level, name }) =>
      level === 'fleet' ||
      (level === 'department' && name === answer.entry?.department) ||
      (level === 'agent' && name === answer.agent) ||
      (level === 'task' && name.startsWith(`${answer.agent}/`)),
  );
  if (own.length === 0) return null;
  return (
    <Section title="Budgets that bind it">
      <Budgets lines={own} />
    </Section>
  );
}
