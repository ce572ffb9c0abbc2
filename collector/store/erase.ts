// Erases what was said: the bytes themselves, by a rewrite of the parts that hold them, not by a mark that hides them.

import { quoted } from './sql-text.ts';
import type { Store } from './store.ts';

/** Hashes that the spans of a call name: its record, and the agent's own span around it. */
export async function hashesOfCall(store: Pick<Store, 'query'>, callId: string): Promise<string[]> {
  const rows = await store.query<{ hash: string }>(
    `WITH records AS (
       SELECT TraceId, SpanId, ParentSpanId FROM otel_traces
       WHERE (TraceId, SpanId) IN (SELECT trace_id, span_id FROM actions WHERE call_id = {call:String})
     )
     SELECT DISTINCT arrayJoin(extractAll(said, 'sha256:([0-9a-f]{64})')) AS hash
     FROM otel_traces ARRAY JOIN mapValues(SpanAttributes) AS said
     WHERE TraceId IN (SELECT TraceId FROM records)
       AND (SpanId IN (SELECT SpanId FROM records) OR SpanId IN (SELECT ParentSpanId FROM records))
       AND (startsWith(said, 'sha256:') OR startsWith(said, '["sha256:'))`,
    { call: callId },
  );
  return rows.map(({ hash }) => hash);
}

/** Which of them are kept. */
export async function keptBodies(store: Pick<Store, 'query'>, hashes: readonly string[]): Promise<string[]> {
  const rows = await store.query<{ hash: string }>(
    'SELECT DISTINCT hash FROM message_bodies WHERE hash IN {hashes:Array(String)} ORDER BY hash',
    { hashes },
  );
  return rows.map(({ hash }) => hash);
}

/** Resolves once they are gone. */
export async function eraseBodies(
  store: Pick<Store, 'command' | 'layout'>,
  hashes: readonly string[],
): Promise<void> {
  await store.command(
    `ALTER TABLE ${store.layout.changed('message_bodies')} DELETE WHERE hash IN (${hashes.map(quoted).join(', ')})
     SETTINGS mutations_sync = 2`,
  );
}
