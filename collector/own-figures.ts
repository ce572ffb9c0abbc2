// What the collector says of itself at /metrics, gathered from its parts.

import type { Alerts } from './alerts/alerts.ts';
import type { Figures } from './api/metrics.ts';
import type { Exports } from './edges/exports.ts';
import type { Audit } from './open-audit.ts';
import type { Pipeline } from './pipeline.ts';
import type { Stores } from './stores.ts';

export interface FigureParts extends Stores, Pick<Audit, 'audit' | 'anchors' | 'pruning'> {
  readonly pipeline: Pipeline;
  readonly exports: Exports;
  readonly alerts: Pick<Alerts, 'failures'>;
  /** Each with its open streams of server-sent events. */
  readonly streams: readonly { listeners(): number }[];
}

export async function ownFigures(parts: FigureParts): Promise<Figures> {
  const { database, store, sumsInDoubt, pipeline, audit, exports, alerts, streams } = parts;
  const behind = audit.behind();
  const anchors = parts.anchors.states();
  const copies = exports.totals();
  const { segments, bytes, oldestMs } = pipeline.depth();
  const { receiver, queue } = pipeline.counters();
  const stands = pipeline.missing();
  return {
    plain: {
      outrider_queue_segments: segments,
      outrider_queue_bytes: bytes,
      outrider_queue_refusing: stands.includes('queue') ? 1 : 0,
      outrider_queue_not_loading: stands.some((part) => part !== 'queue') ? 1 : 0,
      outrider_queue_segments_lost_total: queue.lost,
      outrider_queue_oldest_seconds: oldestMs / 1000,
      outrider_dropped_attributes_total: receiver.foreign,
      outrider_overruled_claims_total: receiver.overruled,
      outrider_quarantined_total: queue.quarantined,
      outrider_queue_set_aside: queue.setAside,
      outrider_control_statements_pending: database.pending(),
      outrider_event_streams: streams.reduce((sum, stream) => sum + stream.listeners(), 0),
      outrider_store_sums_in_doubt: sumsInDoubt.count(),
      outrider_store_memory_bytes: await store.memoryBytes(),
      outrider_alert_evaluation_failures_total: alerts.failures(),
      outrider_audit_leaves: audit.checkpoint().size,
      outrider_audit_minimum_index: parts.pruning.minimumIndex(),
      outrider_audit_waiting_requests: behind.requests,
      outrider_audit_behind_seconds: behind.forMs / 1000,
      outrider_export_waiting_bytes: copies.waitingBytes,
      outrider_export_given_up_total: copies.givenUp,
    },
    bySignal: {
      outrider_received_requests_total: receiver.taken,
      outrider_received_items_total: receiver.items,
      outrider_stored_items_total: queue.stored,
    },
    byAnchor: {
      outrider_audit_anchored_leaves: Object.fromEntries(anchors.map(({ name, size }) => [name, size])),
      outrider_audit_anchor_failing_seconds: Object.fromEntries(
        anchors.map(({ name, failingMs }) => [name, failingMs / 1000]),
      ),
    },
    refusedRequests: receiver.refused,
  };
}
