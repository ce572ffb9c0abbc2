// OTLP traces as the database reads them: the protobuf schema, and the same shape as ClickHouse columns.
// Only fields that end in a column are declared; the reader skips the rest. A oneof's arm is told by an Enum column of
// the oneof's name (input_format_protobuf_oneof_presence), so a zero, a false and an empty text are not taken for absence.
// Arrays and key-value lists of spans and resources are read one level deep, what is nested deeper comes out as null; those
// of events and links are not read.
// Source: opentelemetry-proto, collector/trace/v1 and trace/v1; the receipt is collector/receipt.ts.

import {
  RECEIPT_DIGEST_FIELD,
  RECEIPT_FIELD,
  RECEIPT_RECEIVED_AT_FIELD,
  RECEIPT_SENDER_FIELD,
} from '../receipt.ts';

export const PROTOBUF_SCHEMA = `syntax = "proto3";
message Scalar { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; bytes bytes_value = 7; } }
message Scalars { repeated Scalar values = 1; }
message Entry { string key = 1; Scalar value = 2; }
message Entries { repeated Entry values = 1; }
message Any { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; Scalars array_value = 5; Entries kvlist_value = 6; bytes bytes_value = 7; } }
message Attribute { string key = 1; Any value = 2; }
message Resource { repeated Attribute attributes = 1; }
message Scope { string name = 1; string version = 2; }
message Event { fixed64 time_unix_nano = 1; string name = 2; repeated Attribute attributes = 3; }
message Link { bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; repeated Attribute attributes = 4; }
message Status { string message = 2; int32 code = 3; }
message Span { bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5; int32 kind = 6; fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated Attribute attributes = 9; repeated Event events = 11; repeated Link links = 13; Status status = 15; }
message ScopeSpans { Scope scope = 1; repeated Span spans = 2; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
message Receipt { fixed64 received_at_unix_nano = ${RECEIPT_RECEIVED_AT_FIELD}; string sender = ${RECEIPT_SENDER_FIELD}; bytes digest = ${RECEIPT_DIGEST_FIELD}; }
message Export { repeated ResourceSpans resource_spans = 1; Receipt receipt = ${RECEIPT_FIELD}; }`;

export const PROTOBUF_MESSAGE = 'Export';

const tuple = (...members: string[]) => `Tuple(${members.join(', ')})`;
const array = (...members: string[]) => `Array(${tuple(...members)})`;

/** Arms by their field numbers; the names are short because type names are long, and the engine compares them often. */
const SCALAR_ARMS = "'-' = 0, 's' = 1, 'b' = 2, 'i' = 3, 'd' = 4, 'x' = 7";
const ALL_ARMS = `${SCALAR_ARMS}, 'a' = 5, 'k' = 6`;
const SCALARS = [
  'string_value String',
  'bool_value Bool',
  'int_value Int64',
  'double_value Float64',
  'bytes_value String',
];
const SCALAR = tuple(`value Enum8(${SCALAR_ARMS})`, ...SCALARS);
const LISTS = [
  `array_value ${tuple(`values Array(${SCALAR})`)}`,
  `kvlist_value ${tuple(`values ${array('key String', `value ${SCALAR}`)}`)}`,
];
const ATTRIBUTES = `attributes ${array('key String', `value ${tuple(`value Enum8(${ALL_ARMS})`, ...SCALARS, ...LISTS)}`)}`;
/** Of events and links: their lists are left unread. */
const SCALAR_ATTRIBUTES = `attributes ${array('key String', `value ${tuple(`value Enum8(${ALL_ARMS})`, ...SCALARS)}`)}`;
const SPAN = [
  'trace_id String',
  'span_id String',
  'trace_state String',
  'parent_span_id String',
  'name String',
  'kind Int32',
  'start_time_unix_nano UInt64',
  'end_time_unix_nano UInt64',
  ATTRIBUTES,
  `events ${array('time_unix_nano UInt64', 'name String', SCALAR_ATTRIBUTES)}`,
  `links ${array('trace_id String', 'span_id String', 'trace_state String', SCALAR_ATTRIBUTES)}`,
  `status ${tuple('message String', 'code Int32')}`,
];
const SCOPE_SPANS = array(`scope ${tuple('name String', 'version String')}`, `spans ${array(...SPAN)}`);

/** The columns of `file(path, 'Protobuf', …)` over a segment: one row is one request. */
export const SEGMENT_COLUMNS = [
  `resource_spans ${array(`resource ${tuple(ATTRIBUTES)}`, `scope_spans ${SCOPE_SPANS}`)}`,
  `receipt ${tuple('received_at_unix_nano UInt64', 'sender String', 'digest String')}`,
].join(', ');
