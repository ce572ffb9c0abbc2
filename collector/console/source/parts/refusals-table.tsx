// Which no was said to whom, how often; each leads to the calls it was said to.

import type { ReactNode } from 'react';
import type { Range, RefusalLine } from '../../../../contract/console.ts';
import { REFUSALS } from '../../../../contract/refusals.ts';
import { count } from '../format.ts';
import { agentHref, callsHref } from '../route.ts';
import { Ago, Sentence } from './values.tsx';

const SHOWN_MAX = 30;

export function RefusalsTable({
  refusals,
  withAgent = false,
  range,
}: {
  readonly refusals: readonly RefusalLine[];
  readonly withAgent?: boolean;
  readonly range: Range;
}): ReactNode {
  return (
    <table className="refusals">
      <thead>
        <tr>
          <th scope="col">Refusal</th>
          {withAgent && <th scope="col">Agent</th>}
          <th scope="col" className="wide">
            What to do
          </th>
          <th scope="col" className="number">
            Calls
          </th>
          <th scope="col" className="number">
            Last
          </th>
        </tr>
      </thead>
      <tbody>
        {refusals.slice(0, SHOWN_MAX).map(({ refusal, agent, calls, last }) => (
          <tr key={`${refusal} ${agent}`}>
            <td>
              <a data-row href={callsHref({ refusal, agent, range })}>
                <span className="code">{refusal}</span>
              </a>
            </td>
            {withAgent && (
              <td>
                <a href={agentHref(agent)}>{agent}</a>
              </td>
            )}
            <td className="wide advice">
              <Sentence text={adviceOf(refusal)} />
            </td>
            <td className="number">{count(calls)}</td>
            <td className="number">
              <Ago iso={last} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const adviceOf = (refusal: string): string =>
  Object.hasOwn(REFUSALS, refusal) ? REFUSALS[refusal as keyof typeof REFUSALS].advice : '';
