// Spans of a segment as rows of otel_traces.
// What it changes on the way beyond what all signals share (load-parts.ts): spans whose ids are not 16 and 8 bytes, or all
// zero, are left out, for nothing could ever refer to them; an end before its start counts as no duration.
// Source: opentelemetry-proto, trace/v1 and collector/trace/v1.

import { attributeMap, scalarAttributeMap } from './attribute-sql.ts';
import { byContent } from './bodies-sql.ts';
import { GENAI_COLUMNS, withFacts } from './genai-sql.ts';
import {
  clamped,
  itemsOf,
  type Load,
  lowerHex,
  nanoTime,
  SERVICE_NAME,
  type Source,
  STAMP,
} from './load-parts.ts';
import { array, attributes, protobufSchema, scalarAttributes, tuple } from './otlp-schema.ts';

const MESSAGES = `message Event { fixed64 time_unix_nano = 1; string name = 2; repeated Attribute attributes = 3; }
message Link { bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; repeated Attribute attributes = 4; }
message Status { string message = 2; int32 code = 3; }
message Span { bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5; int32 kind = 6; fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated Attribute attributes = 9; repeated Event events = 11; repeated Link links = 13; Status status = 15; }
message ScopeSpans { Scope scope = 1; repeated Span spans = 2; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }`;

const SPAN = [
  'trace_id String',
  'span_id String',
  'trace_state String',
  'parent_span_id String',
  'name String',
  'kind Int32',
  'start_time_unix_nano UInt64',
  'end_time_unix_nano UInt64',
  attributes(),
  `events ${array('time_unix_nano UInt64', 'name String', scalarAttributes())}`,
  `links ${array('trace_id String', 'span_id String', 'trace_state String', scalarAttributes())}`,
  `status ${tuple('message String', 'code Int32')}`,
];
const SCOPE_SPANS = array(`scope ${tuple('name String', 'version String')}`, `spans ${array(...SPAN)}`);

/** Fields of a span as they leave the protobuf. */
const FIELDS: Readonly<Record<string, string>> = {
  trace_id: 'item.trace_id',
  span_id: 'item.span_id',
  parent_id: 'item.parent_span_id',
  trace_state: 'item.trace_state',
  name: 'item.name',
  kind: 'item.kind',
  begun: 'item.start_time_unix_nano',
  ended: 'item.end_time_unix_nano',
  attributes: 'item.attributes',
  status_code: 'item.status.code',
  status_message: 'item.status.message',
  events: 'item.events',
  links: 'item.links',
};

const rightId = (id: string, bytes: number) =>
  `length(${id}) = ${bytes} AND ${id} != unhex('${'00'.repeat(bytes)}')`;

/** With their attributes as the map `own`. */
const spansOf = (source: Source): string => `
  SELECT * EXCEPT (attributes), ${attributeMap('attributes')} AS own
  FROM (${itemsOf(source, {
    parts: 'resource_spans',
    partColumns: [],
    scopes: 'scope_spans',
    scopesType: SCOPE_SPANS,
    items: 'spans',
    ofPart: {},
    ofScope: { scope_name: 'scope.scope.name', scope_version: 'scope.scope.version' },
    fields: FIELDS,
  })})`;

export const TRACES: Load = {
  table: 'otel_traces',
  schema: protobufSchema(MESSAGES, 'ResourceSpans', 'resource_spans'),
  columns: {
    Timestamp: nanoTime(clamped('begun')),
    TraceId: lowerHex('trace_id'),
    SpanId: lowerHex('span_id'),
    ParentSpanId: lowerHex('parent_id'),
    TraceState: 'trace_state',
    SpanName: 'name',
    SpanKind:
      "transform(kind, [1, 2, 3, 4, 5], ['Internal', 'Server', 'Client', 'Producer', 'Consumer'], 'Unspecified')",
    ServiceName: SERVICE_NAME,
    ResourceAttributes: 'resource',
    ScopeName: 'scope_name',
    ScopeVersion: 'scope_version',
    SpanAttributes: 'own',
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
    ...GENAI_COLUMNS,
    ...STAMP,
  },
  rows: (source) => withFacts(spansOf(source)),
  where: `${rightId('trace_id', 16)} AND ${rightId('span_id', 8)}`,
};

/** Spans whose messages stand in message_bodies. */
export const TRACES_BY_CONTENT: Load = {
  ...TRACES,
  rows: (source) => withFacts(byContent(spansOf(source))),
};
