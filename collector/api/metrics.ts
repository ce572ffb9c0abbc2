// GET /metrics: the collector itself and the fleet it watches, for Prometheus. Nothing is asked of a store while somebody
// scrapes: what takes a query was read in the background. What would page is said in alerts/.

import type { Handler } from 'hono';
import { type COLLECTOR_METRICS, familyOf, figuresOf } from '../../contract/metrics.ts';
import { exposition, type Family, type Sample } from '../../kit/metrics.ts';
import { processFigures } from '../../kit/process-figures.ts';
import type { Signal } from '../signals.ts';

type BySignal =
  | 'outrider_received_requests_total'
  | 'outrider_received_items_total'
  | 'outrider_stored_items_total';
type ByAnchor = 'outrider_audit_anchored_leaves' | 'outrider_audit_anchor_failing_seconds';
type ByLabel = BySignal | ByAnchor | 'outrider_refused_requests_total';

/** Read when somebody scrapes: a number for each metric without labels, and what has one label by its value. */
export interface Figures {
  readonly plain: Readonly<Record<Exclude<keyof typeof COLLECTOR_METRICS, ByLabel>, number>>;
  readonly bySignal: Readonly<Record<BySignal, Readonly<Record<Signal, number>>>>;
  /** By its name. */
  readonly byAnchor: Readonly<Record<ByAnchor, Readonly<Record<string, number>>>>;
  /** By HTTP status. */
  readonly refusedRequests: Readonly<Record<number, number>>;
}

/** What an alert's evaluation found; the caller bounds how many there are. */
export interface AlertValue {
  readonly alert: string;
  readonly severity: string;
  readonly agent: string;
  readonly task: string;
  readonly key: string;
  readonly value: number;
}

export interface MetricSources {
  figures(): Promise<Figures>;
  fleet(): readonly Family[];
  alertValues(): readonly AlertValue[];
}

/** Refusals that are shown from the start: a first one is then seen as an increase. */
const REFUSED_STATUSES = [400, 401, 413, 429, 503];

export function serveMetrics(sources: MetricSources): Handler {
  return async (context) => {
    const { contentType, text } = await exposition([
      ...familiesOf(await sources.figures()),
      ...sources.fleet(),
      familyOf('outrider_alert_value', sources.alertValues().map(alertSample)),
      ...figuresOf(processFigures()),
    ]);
    return context.body(text, 200, { 'content-type': contentType });
  };
}

function familiesOf({ plain, bySignal, byAnchor, refusedRequests }: Figures): Family[] {
  const zeros = Object.fromEntries(REFUSED_STATUSES.map((status) => [status, 0]));
  return [
    ...figuresOf(plain),
    ...Object.entries(bySignal).map(([name, values]) =>
      familyOf(name as BySignal, samplesBy('signal', values)),
    ),
    ...Object.entries(byAnchor).map(([name, values]) =>
      familyOf(name as ByAnchor, samplesBy('anchor', values)),
    ),
    familyOf('outrider_refused_requests_total', samplesBy('status', { ...zeros, ...refusedRequests })),
  ];
}

function samplesBy(label: string, values: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(values).map(([of, value]) => ({ labels: { [label]: of }, value }));
}

function alertSample({ value, ...labels }: AlertValue): Sample {
  return { labels, value };
}
