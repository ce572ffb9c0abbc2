// GET /v1/traces/{id}: every span of one trace, the agent's own and ours, with the calls recorded in it and the traces
// that began from it. Spans are kept for a shorter time than calls: an old trace may have calls alone.

import type { Handler } from 'hono';
import { z } from 'zod';
import type { CallLine, ChildTrace, SpanLine, TraceAnswer } from '../../contract/console.ts';
import type { Store } from '../store/store.ts';
import { AS_NUMBERS, CALL_COLUMNS, isoTime } from './call-rows.ts';
import { ApiError } from './failures.ts';
import { checked } from './messages.ts';

const SPANS_MAX = 2_000;
const CALLS_MAX = 2_000;
const CHILDREN_MAX = 100;
/** One attribute may hold a whole prompt; what is longer is cut, and the store has it whole. */
const ATTRIBUTE_CHARACTERS_MAX = 4_000;

const traceId = z.string().regex(/^[0-9a-f]{32}$/, 'is 32 hexadecimal digits');

interface SpanRow extends Omit<SpanLine, 'offset_ns' | 'events'> {
  readonly start: string;
  readonly event_starts: readonly string[];
  readonly event_names: readonly string[];
  readonly event_attributes: readonly Readonly<Record<string, string>>[];
}

export function showTrace(store: Store): Handler {
  return async (context) => {
    const trace = checked(context.req.param('id'), traceId);
    const [rows, calls, children] = await Promise.all([
      spansOf(store, trace),
      callsOf(store, trace),
      childrenOf(store, trace),
    ]);
    if (rows.length === 0 && calls.length === 0)
      throw new ApiError(404, 'unknown_trace', 'No span and no call of this trace is in the store.');
    return context.json(answerOf(trace, rows, calls, children));
  };
}

const CUT = `mapApply((name, value) -> (name, substringUTF8(value, 1, ${ATTRIBUTE_CHARACTERS_MAX})),`;

/** The look-up table says when the trace ran, so that only those hours are read. */
function spansOf(store: Store, trace: string): Promise<SpanRow[]> {
  return store.query(
    `WITH (SELECT min(Start) FROM otel_traces_trace_id_ts WHERE TraceId = {trace:String}) AS first,
       (SELECT max(End) + 1 FROM otel_traces_trace_id_ts WHERE TraceId = {trace:String}) AS last
     SELECT SpanId AS span_id, ParentSpanId AS parent_span_id, SpanName AS name, SpanKind AS kind, ServiceName AS service,
       ScopeName AS scope, toString(toUnixTimestamp64Nano(Timestamp)) AS start, Duration AS duration_ns,
       StatusCode AS status, StatusMessage AS message, ${CUT} SpanAttributes) AS attributes,
       arrayMap(at -> toString(toUnixTimestamp64Nano(at)), Events.Timestamp) AS event_starts, Events.Name AS event_names,
       arrayMap(one -> ${CUT} one), Events.Attributes) AS event_attributes
     FROM otel_traces WHERE TraceId = {trace:String} AND Timestamp >= first AND Timestamp <= last
     ORDER BY Timestamp, SpanId LIMIT ${SPANS_MAX + 1} ${AS_NUMBERS}`,
    { trace },
  );
}

function callsOf(store: Store, trace: string): Promise<CallLine[]> {
  return store.query(
    `SELECT ${CALL_COLUMNS} FROM actions WHERE trace_id = {trace:String} ORDER BY timestamp LIMIT ${CALLS_MAX} ${AS_NUMBERS}`,
    { trace },
  );
}

function childrenOf(store: Store, trace: string): Promise<ChildTrace[]> {
  return store.query(
    `SELECT actions.trace_id AS trace_id, any(agent_id) AS agent, ${isoTime('min(timestamp)')} AS started, count() AS calls
     FROM actions WHERE parent_trace_id = {trace:String} AND trace_id != {trace:String}
     GROUP BY trace_id ORDER BY min(timestamp) LIMIT ${CHILDREN_MAX} ${AS_NUMBERS}`,
    { trace },
  );
}

function answerOf(
  trace: string,
  rows: readonly SpanRow[],
  calls: readonly CallLine[],
  children: readonly ChildTrace[],
): TraceAnswer {
  const first = BigInt(rows[0]?.start ?? 0);
  const since = (start: string) => Number(BigInt(start) - first);
  const spans = rows.slice(0, SPANS_MAX).map((row) => spanOf(row, since));
  return {
    trace_id: trace,
    started: rows.length > 0 ? new Date(Number(first / 1_000_000n)).toISOString() : calls[0]!.time,
    duration_ns: spans.reduce((end, span) => Math.max(end, span.offset_ns + span.duration_ns), 0),
    spans,
    cut: rows.length > SPANS_MAX,
    calls,
    children,
  };
}

function spanOf(row: SpanRow, since: (start: string) => number): SpanLine {
  const { start, event_starts, event_names, event_attributes, ...span } = row;
  return {
    ...span,
    offset_ns: since(start),
    events: event_names.map((name, index) => ({
      name,
      offset_ns: since(event_starts[index]!),
      attributes: event_attributes[index]!,
    })),
  };
}
