// The collector's own metrics: a few series about itself, rendered for Prometheus when asked. The fleet's figures are
// in the store, not here.

import type { Pipeline } from './pipeline.ts';
import type { Store } from './store/store.ts';

export async function renderMetrics(
  pipeline: Pipeline,
  store: Store,
): Promise<{ contentType: string; text: string }> {
  const { Counter, Gauge, Registry } = await import('prom-client');
  const register = new Registry();
  const registers = [register];
  const gauge = (name: string, help: string, value: number): void =>
    new Gauge({ name, help, registers }).set(value);
  const counter = (name: string, help: string, value: number): void =>
    new Counter({ name, help, registers }).inc(value);
  const depth = pipeline.depth();
  const { queue } = pipeline.counters();
  gauge('outrider_queue_segments', 'Segments accepted and not yet in the store.', depth.segments);
  gauge('outrider_queue_bytes', 'Bytes accepted and not yet in the store.', depth.bytes);
  gauge('outrider_queue_oldest_seconds', 'Age of the oldest of them.', depth.oldestMs / 1000);
  counter('outrider_requests_accepted_total', 'OTLP requests made durable since the start.', queue.appended);
  counter('outrider_requests_repeated_total', 'OTLP requests that were stored already.', queue.duplicates);
  counter('outrider_spans_loaded_total', 'Spans loaded into the store since the start.', queue.spans);
  counter('outrider_loads_retried_total', 'Loads that were tried again.', queue.retries);
  counter('outrider_messages_quarantined_total', 'Requests the store could not take.', queue.quarantined);
  gauge('outrider_store_resident_bytes', 'Resident memory of the store process.', await store.memoryBytes());
  gauge('outrider_resident_bytes', 'Resident memory of the collector process.', process.memoryUsage.rss());
  return { contentType: register.contentType, text: await register.metrics() };
}
