// Calls as a list, newest first; each row is one link to its place in its trace.

import type { ReactNode } from 'react';
import type { CallLine } from '../../../../contract/console.ts';
import { count, duration } from '../format.ts';
import { traceHref } from '../route.ts';
import { Moment, Money, Status } from './values.tsx';

const STRICT = ['prohibited', 'deny', 'ask'];

export const wouldRefuse = ({ would_verdict, status }: CallLine): boolean =>
  STRICT.includes(would_verdict) && status !== 'refused' && status !== 'escalated';

export function CallsTable({
  calls,
  fresh,
  withAgent = true,
}: {
  readonly calls: readonly CallLine[];
  /** Ids of rows that came just now. */
  readonly fresh?: ReadonlySet<string>;
  readonly withAgent?: boolean;
}): ReactNode {
  return (
    <table className="calls">
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Status</th>
          {withAgent && <th scope="col">Agent</th>}
          <th scope="col">What</th>
          <th scope="col" className="wide">
            Task
          </th>
          <th scope="col" className="wide number">
            Tokens in, out
          </th>
          <th scope="col" className="number">
            Duration
          </th>
          <th scope="col" className="number cost">
            Cost
          </th>
        </tr>
      </thead>
      <tbody>
        {calls.map((call) => (
          <CallRow
            key={call.call_id}
            call={call}
            withAgent={withAgent}
            isFresh={fresh?.has(call.call_id) ?? false}
          />
        ))}
      </tbody>
    </table>
  );
}

function CallRow({
  call,
  withAgent,
  isFresh,
}: {
  readonly call: CallLine;
  readonly withAgent: boolean;
  readonly isFresh: boolean;
}): ReactNode {
  return (
    <tr data-call={call.call_id} data-fresh={isFresh || undefined}>
      <td className="call-time">
        <Moment iso={call.time} />
      </td>
      <td className="call-status">
        <Status status={call.status} wouldRefuse={wouldRefuse(call)} />
      </td>
      {withAgent && <td className="call-agent">{call.agent}</td>}
      <td className="call-what">
        <a data-row href={traceHref(call.trace_id, call.span_id)}>
          {call.target}
        </a>
        {call.refusal !== '' && <span className="code">{call.refusal}</span>}
      </td>
      <td className="wide call-task">{call.task}</td>
      <td className="wide number">{tokens(call)}</td>
      <td className="number call-duration">{duration(call.duration_ms)}</td>
      <td className="number call-cost">
        <Money nanodollars={call.cost_nanodollars} />
      </td>
    </tr>
  );
}

function tokens({ tokens_in, tokens_out }: CallLine): string {
  if (tokens_in === null && tokens_out === null) return '–';
  return `${tokens_in === null ? '?' : count(tokens_in)}, ${tokens_out === null ? '?' : count(tokens_out)}`;
}
