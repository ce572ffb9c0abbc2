// GET /metrics: the collector itself, for Prometheus. What it would page about is said in alerts/.

import type { Handler } from 'hono';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** Read when somebody scrapes. */
export interface Figures {
  readonly queueSegments: number;
  readonly queueBytes: number;
  readonly queueOldestMs: number;
  readonly ledgerPending: number;
  readonly listeners: number;
}

const GAUGES: Readonly<Record<keyof Figures, readonly [name: string, help: string]>> = {
  queueSegments: ['outrider_queue_segments', 'Segments accepted and not yet in the store'],
  queueBytes: ['outrider_queue_bytes', 'Bytes accepted and not yet in the store'],
  queueOldestMs: ['outrider_queue_oldest_milliseconds', 'Age of the oldest segment not yet in the store'],
  ledgerPending: ['outrider_control_statements_pending', 'Statements waiting for the control database'],
  listeners: ['outrider_event_streams', 'Sidecars that listen for recalls'],
};

export function serveMetrics(figures: () => Figures): Handler {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const gauges = Object.entries(GAUGES).map(([figure, [name, help]]) => ({
    figure: figure as keyof Figures,
    gauge: new Gauge({ name, help, registers: [registry] }),
  }));
  return async (context) => {
    const now = figures();
    for (const { figure, gauge } of gauges) gauge.set(now[figure]);
    return context.body(await registry.metrics(), 200, { 'content-type': registry.contentType });
  };
}
