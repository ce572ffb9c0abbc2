// The one statement that turns a segment into rows. ClickHouse reads the protobuf; SELECT shapes the columns of otel_traces;
// the materialized views fill every other table from the same block. No span is decoded in JavaScript.
//
//   file(segment) -> request -> resource -> scope -> span -> its fields -> columns       (inside out, a subquery each)
//
// What it changes on the way, and why:
// - attributes named `outrider.*` are dropped when nobody authenticated: only a sidecar may speak of verdicts and money;
// - spans whose ids are not 16 and 8 bytes, or all zero, are left out: nothing could ever refer to them;
// - a start more than 90 days before, or a day after, the request came is a broken clock and becomes the time it came.
//   90 days is the longest a sidecar's journal may wait for us, and keeps one insert below 100 daily partitions.
//   An end before its start counts as no duration.
//
// Most of a small load's time is the engine's analysis of this text, and it grows with the length of the types in play:
// hence each step takes what it needs out of the nested tuples, and expressions see plain columns.

import { attributeMap, FOREIGN_PREFIX, scalarAttributeMap } from './attribute-sql.ts';
import { PROTOBUF_MESSAGE, PROTOBUF_SCHEMA, SEGMENT_COLUMNS } from './otlp-schema.ts';
import { quoted } from './sql-text.ts';

export { FOREIGN_PREFIX };

const CLAMP_PAST = 'toUInt64(90 * 86400 * 1000000000)';
const CLAMP_FUTURE = 'toUInt64(86400 * 1000000000)';

const lowerHex = (bytes: string) => `lower(hex(${bytes}))`;
const nanoTime = (nanoseconds: string) => `fromUnixTimestamp64Nano(toInt64(${nanoseconds}), 'UTC')`;
const rightId = (id: string, bytes: number) =>
  `length(${id}) = ${bytes} AND ${id} != unhex('${'00'.repeat(bytes)}')`;

/** Fields of a span as they leave the protobuf. */
const FIELDS: Readonly<Record<string, string>> = {
  trace_id: 'span.trace_id',
  span_id: 'span.span_id',
  parent_id: 'span.parent_span_id',
  trace_state: 'span.trace_state',
  name: 'span.name',
  kind: 'span.kind',
  begun: 'span.start_time_unix_nano',
  ended: 'span.end_time_unix_nano',
  attributes: 'span.attributes',
  status_code: 'span.status.code',
  status_message: 'span.status.message',
  events: 'span.events',
  links: 'span.links',
};

const COLUMNS: Readonly<Record<string, string>> = {
  Timestamp: nanoTime(
    `if(begun + ${CLAMP_PAST} < received OR begun > received + ${CLAMP_FUTURE}, received, begun)`,
  ),
  TraceId: lowerHex('trace_id'),
  SpanId: lowerHex('span_id'),
  ParentSpanId: lowerHex('parent_id'),
  TraceState: 'trace_state',
  SpanName: 'name',
  SpanKind:
    "transform(kind, [1, 2, 3, 4, 5], ['Internal', 'Server', 'Client', 'Producer', 'Consumer'], 'Unspecified')",
  ServiceName: "resource['service.name']",
  ResourceAttributes: 'resource',
  ScopeName: 'scope_name',
  ScopeVersion: 'scope_version',
  SpanAttributes: attributeMap('attributes'),
  Duration: 'if(ended > begun, ended - begun, 0)',
  StatusCode: "transform(status_code, [1, 2], ['Ok', 'Error'], 'Unset')",
  StatusMessage: 'status_message',
  '`Events.Timestamp`': `arrayMap(at -> ${nanoTime('least(at, 9223372036854775807)')}, events.time_unix_nano)`,
  '`Events.Name`': 'events.name',
  '`Events.Attributes`': `arrayMap(list -> ${scalarAttributeMap('list')}, events.attributes)`,
  '`Links.TraceId`': `arrayMap(id -> ${lowerHex('id')}, links.trace_id)`,
  '`Links.SpanId`': `arrayMap(id -> ${lowerHex('id')}, links.span_id)`,
  '`Links.TraceState`': 'links.trace_state',
  '`Links.Attributes`': `arrayMap(list -> ${scalarAttributeMap('list')}, links.attributes)`,
  ReceivedAt: nanoTime('received'),
  Sender: 'sender',
};

const REQUEST = 'sender, foreign, received';

const SPANS = (path: string) => `
  SELECT ${REQUEST}, resource, scope.scope.name AS scope_name, scope.scope.version AS scope_version, arrayJoin(scope.spans) AS span
  FROM (
    SELECT ${REQUEST}, ${attributeMap('own')} AS resource, arrayJoin(scopes) AS scope
    FROM (
      SELECT ${REQUEST}, resource_span.resource.attributes AS own, resource_span.scope_spans AS scopes
      FROM (
        SELECT receipt.sender AS sender, sender = '' AS foreign, receipt.received_at_unix_nano AS received,
          arrayJoin(resource_spans) AS resource_span
        FROM file(${quoted(path)}, 'Protobuf', ${quoted(SEGMENT_COLUMNS)})
      )
    )
  )`;

export interface SegmentFile {
  /** Names the segment for ever: it is the deduplication token. */
  readonly id: string;
  readonly path: string;
}

/**
 * INSERT … SELECT of one segment. The same segment always gives the same text, so a segment in doubt may be replayed:
 * every table drops the blocks it already has. One thread and a fixed block size make the blocks the same each time.
 */
export function loadStatement(segment: SegmentFile): string {
  const fields = Object.entries(FIELDS).map(([name, field]) => `${field} AS ${name}`);
  const settings = Object.entries(settingsOf(segment)).map(([name, value]) => `${name} = ${value}`);
  return `INSERT INTO otel_traces (${Object.keys(COLUMNS).join(', ')}, SegmentId)
SELECT ${Object.values(COLUMNS).join(',\n  ')},
  ${quoted(segment.id)}
FROM (
  SELECT ${REQUEST}, resource, scope_name, scope_version, ${fields.join(', ')}
  FROM (${SPANS(segment.path)})
  WHERE ${rightId('trace_id', 16)} AND ${rightId('span_id', 8)}
)
SETTINGS ${settings.join(', ')}`;
}

const settingsOf = (segment: SegmentFile): Readonly<Record<string, string | number>> => ({
  insert_deduplication_token: quoted(segment.id),
  format_schema_source: quoted('string'),
  format_schema: quoted(PROTOBUF_SCHEMA),
  format_schema_message_name: quoted(PROTOBUF_MESSAGE),
  input_format_protobuf_oneof_presence: 1,
  max_threads: 1,
  max_insert_threads: 1,
  // By bytes, not by requests: some hold one span, some a thousand.
  max_block_size: 65536,
  input_format_max_block_size_bytes: 8_000_000,
  min_insert_block_size_rows: 1048576,
  min_insert_block_size_bytes: 268435456,
  short_circuit_function_evaluation: quoted('disable'),
  compile_expressions: 0,
  // Merges build them: a part as small as a segment is read whole faster than its indexes are made.
  materialize_skip_indexes_on_insert: 0,
});
