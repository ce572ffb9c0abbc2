// What the collector says of itself at /metrics, gathered from its parts.

import type { Alerts } from './alerts/alerts.ts';
import type { Figures } from './api/metrics.ts';
import type { Exports } from './edges/exports.ts';
import type { Pipeline } from './pipeline.ts';
import type { Stores } from './stores.ts';

export interface FigureParts extends Stores {
  readonly pipeline: Pipeline;
  readonly exports: Exports;
  readonly alerts: Pick<Alerts, 'failures'>;
  /** Each with its open streams of server-sent events. */
  readonly streams: readonly { listeners(): number }[];
}

export async function ownFigures(parts: FigureParts): Promise<Figures> {
  const { database, store, pipeline, exports, alerts, streams } = parts;
  const copies = exports.totals();
  const { segments, bytes, oldestMs } = pipeline.depth();
  const { receiver, queue } = pipeline.counters();
  return {
    plain: {
      outrider_queue_segments: segments,
      outrider_queue_bytes: bytes,
      outrider_queue_refusing: pipeline.missing().length > 0 ? 1 : 0,
      outrider_queue_segments_lost_total: queue.lost,
      outrider_queue_oldest_seconds: oldestMs / 1000,
      outrider_dropped_attributes_total: receiver.foreign,
      outrider_quarantined_total: queue.quarantined,
      outrider_control_statements_pending: database.pending(),
      outrider_event_streams: streams.reduce((sum, stream) => sum + stream.listeners(), 0),
      outrider_store_memory_bytes: await store.memoryBytes(),
      outrider_alert_evaluation_failures_total: alerts.failures(),
      outrider_export_waiting_bytes: copies.waitingBytes,
      outrider_export_given_up_total: copies.givenUp,
    },
    bySignal: {
      outrider_received_requests_total: receiver.taken,
      outrider_received_items_total: receiver.items,
      outrider_stored_items_total: queue.stored,
    },
    refusedRequests: receiver.refused,
  };
}
