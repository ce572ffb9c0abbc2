// Spans over time: what was going on when, what waited for what.

import type { ReactNode } from 'react';
import type { CallLine } from '../../../../contract/console.ts';
import { duration } from '../format.ts';
import type { Placed } from '../span-tree.ts';
import { Status } from './values.tsx';

const DEPTH_SHOWN_MAX = 12;

export function Waterfall({
  rows,
  calls,
  totalNs,
  chosen,
  onChoose,
}: {
  readonly rows: readonly Placed[];
  readonly calls: ReadonlyMap<string, CallLine>;
  readonly totalNs: number;
  readonly chosen: string;
  readonly onChoose: (span: string) => void;
}): ReactNode {
  return (
    <section className="waterfall" aria-label="Spans">
      <div className="waterfall-scale" aria-hidden="true">
        <span>0</span>
        <span>{duration(totalNs / 2e6)}</span>
        <span>{duration(totalNs / 1e6)}</span>
      </div>
      <ol>
        {rows.map(({ span, depth }) => {
          const call = calls.get(span.span_id);
          return (
            <li key={span.span_id}>
              <button
                type="button"
                data-row
                className="span"
                aria-current={span.span_id === chosen}
                onClick={() => onChoose(span.span_id)}
                onFocus={() => onChoose(span.span_id)}
              >
                <span
                  className="span-name"
                  style={{ paddingInlineStart: `calc(0.4rem + ${Math.min(depth, DEPTH_SHOWN_MAX) * 14}px)` }}
                >
                  {call && call.status !== 'success' && <Status status={call.status} />}
                  {!call && span.status === 'Error' && <Status status="failure" />}
                  <span className="span-title">{span.name || span.span_id}</span>
                </span>
                <span className="span-track">
                  <span
                    className="span-bar"
                    data-tone={toneOf(call, span.status)}
                    style={{ left: place(span.offset_ns, totalNs), width: place(span.duration_ns, totalNs) }}
                  />
                </span>
                <span className="span-time">{duration(span.duration_ns / 1e6)}</span>
              </button>
            </li>
          );
        })}
      </ol>
    </section>
  );
}

const place = (ns: number, totalNs: number): string => `${totalNs === 0 ? 0 : (ns / totalNs) * 100}%`;

function toneOf(call: CallLine | undefined, status: string): string {
  if (call?.status === 'refused' || call?.status === 'escalated') return 'refused';
  if (call?.status === 'failure' || call?.status === 'timeout' || status === 'Error') return 'failed';
  return call ? 'call' : 'plain';
}
