// All that is known of one span: how the call was judged and charged, then its attributes and events as they came.

import type { ReactNode } from 'react';
import type { CallLine, SpanLine } from '../../../../contract/console.ts';
import { REFUSALS } from '../../../../contract/refusals.ts';
import { count, duration } from '../format.ts';
import { agentHref, callsHref, traceHref } from '../route.ts';
import { wouldRefuse } from './calls-table.tsx';
import { Money, Sentence, Status } from './values.tsx';

/** Shown above, in words. */
const SHOWN_ABOVE = /^outrider\.(?!.*(?:sha256|response))/;

export function SpanPanel({
  span,
  call,
}: {
  readonly span: SpanLine;
  readonly call: CallLine | undefined;
}): ReactNode {
  const attributes = Object.entries(span.attributes).filter(([name]) => !call || !SHOWN_ABOVE.test(name));
  return (
    <aside className="panel" aria-label="The chosen span">
      <h2>{span.name || span.span_id}</h2>
      <p className="panel-sub">
        {span.service} · {span.kind.toLowerCase()} · {duration(span.duration_ns / 1e6)} · after{' '}
        {duration(span.offset_ns / 1e6)}
      </p>
      {span.message !== '' && <p className="panel-message">{span.message}</p>}
      {call && <CallFacts call={call} />}
      {attributes.length > 0 && <Attributes title="Attributes" entries={attributes} />}
      {span.events.map((event, index) => (
        <Attributes
          // biome-ignore lint/suspicious/noArrayIndexKey: events have no name of their own and never change
          key={index}
          title={`${event.name} after ${duration(event.offset_ns / 1e6)}`}
          entries={Object.entries(event.attributes)}
        />
      ))}
      <p className="panel-ids">
        span <code>{span.span_id}</code>
        {call && (
          <>
            {' '}
            · call <code>{call.call_id}</code>
          </>
        )}
      </p>
    </aside>
  );
}

function CallFacts({ call }: { readonly call: CallLine }): ReactNode {
  const advice = Object.hasOwn(REFUSALS, call.refusal)
    ? REFUSALS[call.refusal as keyof typeof REFUSALS].advice
    : '';
  const facts: (readonly [string, ReactNode])[] = [
    ['Status', <Status key="status" status={call.status} wouldRefuse={wouldRefuse(call)} />],
    ['Answered', call.http_status === 0 ? 'nothing' : `HTTP ${call.http_status}`],
    ['Refusal', call.refusal !== '' && <span className="code">{call.refusal}</span>],
    ['Verdict', <Verdict key="verdict" call={call} />],
    [
      'Rule',
      <span key="rule" className="code">
        {call.rule || 'none matched'}
      </span>,
    ],
    [
      'Target',
      <span key="target" className="code">
        {call.target}
      </span>,
    ],
    ['Cost', <Money key="cost" nanodollars={call.cost_nanodollars} />],
    ['Tokens', tokensOf(call)],
    ['Credential', call.credential],
    [
      'Agent',
      <a key="agent" href={agentHref(call.agent)}>
        {call.agent}
      </a>,
    ],
    [
      'Task',
      call.task !== '' && (
        <a key="task" href={callsHref({ agent: call.agent, task: call.task })}>
          {call.task}
        </a>
      ),
    ],
    ['Called by', call.caller],
    ['Granted by', call.grantor],
    ['Ticket', call.ticket],
    ['Mode', call.mode],
    [
      'Policy',
      <code key="policy" title={call.policy_digest}>
        {call.policy_digest.slice(0, 12)}
      </code>,
    ],
    [
      'Began from',
      call.parent_trace_id !== '' && (
        <a key="parent" href={traceHref(call.parent_trace_id)}>
          its caller’s trace
        </a>
      ),
    ],
  ];
  return (
    <>
      {advice !== '' && (
        <p className="panel-advice">
          <Sentence text={advice} />
        </p>
      )}
      <dl className="panel-facts">
        {facts
          .filter(([, value]) => value !== false && value !== '')
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
    </>
  );
}

function Verdict({ call: { verdict, would_verdict } }: { readonly call: CallLine }): ReactNode {
  return would_verdict === '' || would_verdict === verdict
    ? verdict
    : `${verdict}; enforcing: ${would_verdict}`;
}

function tokensOf({ tokens_in, tokens_out, tokens_cached, usage_source }: CallLine): string {
  if (tokens_in === null && tokens_out === null) return '';
  const parts = [`${count(tokens_in ?? 0)} in`, `${count(tokens_out ?? 0)} out`];
  if (tokens_cached !== null && tokens_cached > 0) parts.push(`${count(tokens_cached)} from a cache`);
  return `${parts.join(', ')} (${usage_source})`;
}

function Attributes({
  title,
  entries,
}: {
  readonly title: string;
  readonly entries: readonly (readonly [string, string])[];
}): ReactNode {
  return (
    <section className="attributes">
      <h3>{title}</h3>
      <dl>
        {entries.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
