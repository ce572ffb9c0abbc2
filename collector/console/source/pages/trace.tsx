// One trace as a waterfall: the agent's own spans and the calls we judged, and beside it all that is known of the one
// that was chosen.

import { type ReactNode, useState } from 'react';
import type { CallLine, TraceAnswer } from '../../../../contract/console.ts';
import { duration, plural } from '../format.ts';
import { useKeys } from '../keys.ts';
import { useLive } from '../live.tsx';
import { CallsTable } from '../parts/calls-table.tsx';
import { Section } from '../parts/section.tsx';
import { SpanPanel } from '../parts/span-panel.tsx';
import { Answer } from '../parts/states.tsx';
import { Ago, Moment, Money } from '../parts/values.tsx';
import { Waterfall } from '../parts/waterfall.tsx';
import { agentHref, replaceQuery, traceHref } from '../route.ts';
import { placed } from '../span-tree.ts';
import { useAnswer } from '../use-answer.ts';

export function TracePage({ trace, chosen }: { readonly trace: string; readonly chosen: string }): ReactNode {
  const { pulse } = useLive();
  // A trace of long ago does not change: only one that was begun just now is asked for again.
  const [isYoung, setYoung] = useState(true);
  const answered = useAnswer<TraceAnswer>(`/v1/traces/${encodeURIComponent(trace)}`, isYoung ? pulse : 0);
  const started = answered.answer?.started;
  if (isYoung && started && Date.now() - Date.parse(started) > YOUNG_MS) setYoung(false);
  useKeys((event) => {
    if (event.key === 'Escape') window.history.back();
  });
  return (
    <>
      <div className="page-head">
        <h1>
          Trace <code title={trace}>{trace.slice(0, 12)}</code>
        </h1>
      </div>
      <Answer of={answered}>{(answer) => <Trace answer={answer} chosen={chosen} />}</Answer>
    </>
  );
}

const YOUNG_MS = 3_600_000;

function Trace({ answer, chosen }: { readonly answer: TraceAnswer; readonly chosen: string }): ReactNode {
  const rows = placed(answer.spans);
  const calls = new Map(answer.calls.map((call) => [call.span_id, call]));
  const at =
    rows.find(({ span }) => span.span_id === chosen) ??
    rows.find(({ span }) => calls.has(span.span_id)) ??
    rows[0];
  return (
    <>
      <Summary answer={answer} />
      {at === undefined ? (
        <Section title="Calls">
          <p className="empty">Its spans are not kept any more; its calls are.</p>
          <CallsTable calls={answer.calls} />
        </Section>
      ) : (
        <div className="trace">
          <Waterfall
            rows={rows}
            calls={calls}
            totalNs={answer.duration_ns}
            chosen={at.span.span_id}
            onChoose={(span) => replaceQuery({ span })}
          />
          <SpanPanel span={at.span} call={calls.get(at.span.span_id)} />
        </div>
      )}
      {answer.cut && (
        <p className="empty">There are more spans than shown; ask the SQL door for all of them.</p>
      )}
      <Relatives answer={answer} />
    </>
  );
}

function Summary({ answer }: { readonly answer: TraceAnswer }): ReactNode {
  const agents = [...new Set(answer.calls.map(({ agent }) => agent))];
  const tasks = [...new Set(answer.calls.map(({ task }) => task))].filter((task) => task !== '');
  const parent = answer.calls.find(({ parent_trace_id }) => parent_trace_id !== '')?.parent_trace_id;
  return (
    <dl className="facts">
      <Fact name="Began">
        <Moment iso={answer.started} />
      </Fact>
      <Fact name="Took">{duration(answer.duration_ns / 1e6)}</Fact>
      <Fact name="Holds">
        {plural(answer.spans.length, 'span')}, {plural(answer.calls.length, 'call')}
      </Fact>
      <Fact name="Cost">
        <Money nanodollars={costOf(answer.calls)} />
      </Fact>
      <Fact name={agents.length > 1 ? 'Agents' : 'Agent'}>
        {agents.map((agent) => (
          <a key={agent} href={agentHref(agent)}>
            {agent}
          </a>
        ))}
      </Fact>
      {tasks.length > 0 && <Fact name={tasks.length > 1 ? 'Tasks' : 'Task'}>{tasks.join(', ')}</Fact>}
      {parent && (
        <Fact name="Began from">
          <a href={traceHref(parent)}>
            trace <code>{parent.slice(0, 12)}</code>
          </a>
        </Fact>
      )}
    </dl>
  );
}

const costOf = (calls: readonly CallLine[]): string =>
  calls.reduce((sum, { cost_nanodollars }) => sum + BigInt(cost_nanodollars ?? 0), 0n).toString();

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }): ReactNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Relatives({ answer: { children } }: { readonly answer: TraceAnswer }): ReactNode {
  if (children.length === 0) return null;
  return (
    <Section title="Traces begun from this one" n={children.length}>
      <table>
        <thead>
          <tr>
            <th scope="col">Trace</th>
            <th scope="col">Agent</th>
            <th scope="col" className="number">
              Calls
            </th>
            <th scope="col" className="number">
              Began
            </th>
          </tr>
        </thead>
        <tbody>
          {children.map((child) => (
            <tr key={child.trace_id}>
              <td>
                <a data-row href={traceHref(child.trace_id)}>
                  <code>{child.trace_id.slice(0, 12)}</code>
                </a>
              </td>
              <td>{child.agent}</td>
              <td className="number">{child.calls}</td>
              <td className="number">
                <Ago iso={child.started} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}
