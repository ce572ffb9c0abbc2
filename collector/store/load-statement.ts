// The one statement that turns a segment into rows. ClickHouse reads the protobuf; SELECT shapes the columns of otel_traces;
// the materialized views fill every other table from the same block. No span is decoded in JavaScript.
//
//   file(segment) -> request -> resource -> scope -> span      each arrow is one arrayJoin
//
// What it changes on the way, and why:
// - attributes named `outrider.*` are dropped when nobody authenticated: only a sidecar may speak of verdicts and money;
// - spans whose ids are not 16 and 8 bytes, or all zero, are left out: nothing could ever refer to them;
// - a start more than 90 days before, or a day after, the request came is a broken clock and becomes the time it came.
//   90 days is the longest a sidecar's journal may wait for us, and keeps one insert below 100 daily partitions.
//   An end before its start counts as no duration.

import { PROTOBUF_MESSAGE, PROTOBUF_SCHEMA, SEGMENT_COLUMNS } from './otlp-schema.ts';
import { quoted } from './sql-text.ts';

export const FOREIGN_PREFIX = 'outrider.';
const CLAMP_PAST = 'toUInt64(90 * 86400 * 1000000000)';
const CLAMP_FUTURE = 'toUInt64(86400 * 1000000000)';

/** One scalar as JSON, for members of arrays and key-value lists. */
const scalarJson = (v: string) => `multiIf(
      ${v}.value = 'string_value', toJSONString(${v}.string_value),
      ${v}.value = 'int_value', toString(${v}.int_value),
      ${v}.value = 'bool_value', if(${v}.bool_value, 'true', 'false'),
      ${v}.value = 'double_value' AND isFinite(${v}.double_value), toString(${v}.double_value),
      ${v}.value = 'bytes_value', toJSONString(base64Encode(${v}.bytes_value)),
      'null')`;

/** Any attribute value as the text that the map columns hold: scalars plain, bytes base64, lists and maps JSON. */
const anyText = (v: string) => `multiIf(
      ${v}.value = 'string_value', ${v}.string_value,
      ${v}.value = 'int_value', toString(${v}.int_value),
      ${v}.value = 'bool_value', if(${v}.bool_value, 'true', 'false'),
      ${v}.value = 'double_value', toString(${v}.double_value),
      ${v}.value = 'array_value', concat('[', arrayStringConcat(arrayMap(i -> ${scalarJson('i')}, ${v}.array_value.values), ','), ']'),
      ${v}.value = 'kvlist_value', concat('{', arrayStringConcat(arrayMap(e -> concat(toJSONString(e.key), ':', ${scalarJson('e.value')}), ${v}.kvlist_value.values), ','), '}'),
      ${v}.value = 'bytes_value', base64Encode(${v}.bytes_value),
      '')`;

/** Key and text of each attribute; `foreign` ones lose what only a sidecar may say. */
const attributeMap = (attributes: string) =>
  `CAST(arrayFilter(pair -> NOT (foreign AND startsWith(pair.1, '${FOREIGN_PREFIX}')), arrayMap(a -> (a.key, ${anyText('a.value')}), ${attributes})), 'Map(LowCardinality(String), String)')`;

const lowerHex = (bytes: string) => `lower(hex(${bytes}))`;
const nanoTime = (nanoseconds: string) => `fromUnixTimestamp64Nano(toInt64(${nanoseconds}), 'UTC')`;
const rightId = (id: string, bytes: number) =>
  `length(${id}) = ${bytes} AND ${id} != unhex('${'00'.repeat(bytes)}')`;

const COLUMNS: Readonly<Record<string, string>> = {
  Timestamp: nanoTime('start_nano'),
  TraceId: lowerHex('span.trace_id'),
  SpanId: lowerHex('span.span_id'),
  ParentSpanId: lowerHex('span.parent_span_id'),
  TraceState: 'span.trace_state',
  SpanName: 'span.name',
  SpanKind:
    "transform(span.kind, [1, 2, 3, 4, 5], ['Internal', 'Server', 'Client', 'Producer', 'Consumer'], 'Unspecified')",
  ServiceName: 'service_name',
  ResourceAttributes: 'resource',
  ScopeName: 'scope_name',
  ScopeVersion: 'scope_version',
  SpanAttributes: attributeMap('span.attributes'),
  Duration:
    'if(span.end_time_unix_nano > span.start_time_unix_nano, span.end_time_unix_nano - span.start_time_unix_nano, 0)',
  StatusCode: "transform(span.status.code, [1, 2], ['Ok', 'Error'], 'Unset')",
  StatusMessage: 'span.status.message',
  '`Events.Timestamp`': `arrayMap(e -> ${nanoTime('least(e.time_unix_nano, 9223372036854775807)')}, span.events)`,
  '`Events.Name`': 'arrayMap(e -> e.name, span.events)',
  '`Events.Attributes`': `arrayMap(e -> ${attributeMap('e.attributes')}, span.events)`,
  '`Links.TraceId`': `arrayMap(l -> ${lowerHex('l.trace_id')}, span.links)`,
  '`Links.SpanId`': `arrayMap(l -> ${lowerHex('l.span_id')}, span.links)`,
  '`Links.TraceState`': 'arrayMap(l -> l.trace_state, span.links)',
  '`Links.Attributes`': `arrayMap(l -> ${attributeMap('l.attributes')}, span.links)`,
  ReceivedAt: nanoTime('received_nano'),
  Sender: 'sender',
};

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
  const settings = {
    insert_deduplication_token: quoted(segment.id),
    format_schema_source: quoted('string'),
    format_schema: quoted(PROTOBUF_SCHEMA),
    format_schema_message_name: quoted(PROTOBUF_MESSAGE),
    input_format_protobuf_oneof_presence: 1,
    max_threads: 1,
    max_insert_threads: 1,
    max_block_size: 8,
    min_insert_block_size_rows: 1048576,
    min_insert_block_size_bytes: 268435456,
    short_circuit_function_evaluation: quoted('disable'),
  };
  return `INSERT INTO otel_traces (${Object.keys(COLUMNS).join(', ')}, SegmentId)
SELECT ${Object.values(COLUMNS).join(',\n  ')},
  ${quoted(segment.id)}
FROM (
  SELECT sender, foreign, received_nano, resource, service_name, scope_name, scope_version, span,
    if(span.start_time_unix_nano + ${CLAMP_PAST} < received_nano OR span.start_time_unix_nano > received_nano + ${CLAMP_FUTURE},
       received_nano, span.start_time_unix_nano) AS start_nano
  FROM (
    SELECT sender, foreign, received_nano, resource, service_name, scope.scope.name AS scope_name, scope.scope.version AS scope_version,
      arrayJoin(scope.spans) AS span
    FROM (
      SELECT sender, foreign, received_nano, ${attributeMap('resource_span.resource.attributes')} AS resource,
        resource['service.name'] AS service_name, arrayJoin(resource_span.scope_spans) AS scope
      FROM (
        SELECT receipt.sender AS sender, sender = '' AS foreign, receipt.received_at_unix_nano AS received_nano,
          arrayJoin(resource_spans) AS resource_span
        FROM file(${quoted(segment.path)}, 'Protobuf', ${quoted(SEGMENT_COLUMNS)})
      )
    )
  )
  WHERE ${rightId('span.trace_id', 16)} AND ${rightId('span.span_id', 8)}
)
SETTINGS ${Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}`)
    .join(', ')}`;
}
