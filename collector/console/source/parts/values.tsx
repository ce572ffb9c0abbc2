// How single values look: money to the last digit, times in the viewer's zone with UTC behind them, a call's status as
// shape and word, never as colour alone.

import type { ReactNode } from 'react';
import { formatDollars } from '../../../../contract/money.ts';
import { ago, moment, utc } from '../format.ts';

/** Whole nanodollars. Beyond the cents the digits step back, and none is lost. */
export function Money({ nanodollars }: { readonly nanodollars: string | null }): ReactNode {
  if (nanodollars === null) return <span className="unknown">unknown</span>;
  const text = formatDollars(BigInt(nanodollars));
  const point = text.indexOf('.');
  const whole = text.slice(0, point).replace(/\B(?=(\d{3})+$)/g, ',');
  return (
    <span className="money">
      {whole}
      {text.slice(point, point + 3)}
      <small>{text.slice(point + 3)}</small>
    </span>
  );
}

export function Moment({ iso }: { readonly iso: string }): ReactNode {
  return (
    <time dateTime={iso} title={utc(iso)}>
      {moment(iso, Date.now())}
    </time>
  );
}

export function Ago({ iso }: { readonly iso: string | null }): ReactNode {
  if (iso === null) return <span className="faint">over a day ago</span>;
  return (
    <time dateTime={iso} title={utc(iso)}>
      {ago(iso, Date.now())}
    </time>
  );
}

const STATUS_WORDS: Readonly<Record<string, string>> = {
  success: 'ok',
  failure: 'failed',
  timeout: 'timed out',
  refused: 'refused',
  escalated: 'waits',
};

/** A call's status. What passed only because its agent is observed says so. */
export function Status({
  status,
  wouldRefuse = false,
}: {
  readonly status: string;
  readonly wouldRefuse?: boolean;
}): ReactNode {
  return (
    <span className="status" data-status={status}>
      <Shape of={status} />
      {STATUS_WORDS[status] ?? status}
      {wouldRefuse && (
        <span className="would" title="Observed only: enforcing would have refused it">
          {' '}
          would refuse
        </span>
      )}
    </span>
  );
}

const SHAPES: Readonly<Record<string, ReactNode>> = {
  success: <circle cx="5" cy="5" r="2.5" />,
  failure: <path d="M5 .8 9.6 9H.4z" />,
  timeout: <circle cx="5" cy="5" r="3.6" fill="none" strokeWidth="1.6" />,
  refused: <rect x="1.2" y="1.2" width="7.6" height="7.6" />,
  escalated: <path d="M5 .4 9.6 5 5 9.6.4 5z" />,
};

function Shape({ of }: { readonly of: string }): ReactNode {
  return (
    <svg viewBox="0 0 10 10" aria-hidden="true">
      {SHAPES[of] ?? SHAPES.timeout}
    </svg>
  );
}

const HEALTH_WORDS = { ok: 'ok', degraded: 'degraded', away: 'away' } as const;

export function Health({
  health,
  n,
}: {
  readonly health: keyof typeof HEALTH_WORDS;
  readonly n?: number;
}): ReactNode {
  return (
    <span className="health" data-health={health}>
      <Shape of={health === 'ok' ? 'success' : health === 'degraded' ? 'failure' : 'timeout'} />
      {n !== undefined && n !== 1 ? `${n} ` : ''}
      {HEALTH_WORDS[health]}
    </span>
  );
}

/** One number with its name above it. */
export function Figure({
  name,
  children,
  note,
}: {
  readonly name: string;
  readonly children: ReactNode;
  readonly note?: ReactNode;
}): ReactNode {
  return (
    <div className="figure">
      <dt>{name}</dt>
      <dd>
        {children}
        {note && <small>{note}</small>}
      </dd>
    </div>
  );
}

/** A sentence with commands between backticks. */
export function Sentence({ text }: { readonly text: string }): ReactNode {
  return text.split('`').map((part, index) =>
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one sentence, in their order
    index % 2 === 1 ? <code key={index}>{part}</code> : part,
  );
}
