// What all of OTLP's signals share, as the database reads them: the protobuf messages, and the same shape as ClickHouse
// columns. Only fields that end in a column are declared; the reader skips the rest. A oneof's arm is told by an Enum column
// of the oneof's name (input_format_protobuf_oneof_presence), so a zero, a false and an empty text are not taken for absence.
// Arrays and key-value lists are read one level deep, and those of span events, links and exemplars not at all: what goes
// deeper has become text at the door (receive/rewrite.ts).
// Source: opentelemetry-proto, common/v1 and resource/v1; the receipt is collector/receipt.ts.

import {
  RECEIPT_DIGEST_FIELD,
  RECEIPT_FIELD,
  RECEIPT_RECEIVED_AT_FIELD,
  RECEIPT_SENDER_FIELD,
} from '../receipt.ts';

const COMMON_MESSAGES = `syntax = "proto3";
message Scalar { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; bytes bytes_value = 7; } }
message Scalars { repeated Scalar values = 1; }
message Entry { string key = 1; Scalar value = 2; }
message Entries { repeated Entry values = 1; }
message Any { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; Scalars array_value = 5; Entries kvlist_value = 6; bytes bytes_value = 7; } }
message Attribute { string key = 1; Any value = 2; }
message Resource { repeated Attribute attributes = 1; }
message Scope { string name = 1; string version = 2; repeated Attribute attributes = 3; uint32 dropped_attributes_count = 4; }
message Receipt { fixed64 received_at_unix_nano = ${RECEIPT_RECEIVED_AT_FIELD}; string sender = ${RECEIPT_SENDER_FIELD}; bytes digest = ${RECEIPT_DIGEST_FIELD}; }`;

export const REQUEST_MESSAGE = 'Export';

/** The schema of a signal's requests: its own messages, and the name and type of what a request repeats. */
export function protobufSchema(messages: string, part: string, repeated: string): string {
  return `${COMMON_MESSAGES}
${messages}
message ${REQUEST_MESSAGE} { repeated ${part} ${repeated} = 1; Receipt receipt = ${RECEIPT_FIELD}; }`;
}

export const tuple = (...members: string[]): string => `Tuple(${members.join(', ')})`;
export const array = (...members: string[]): string => `Array(${tuple(...members)})`;

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
/** Any value, lists one level deep. */
export const ANY = tuple(`value Enum8(${ALL_ARMS})`, ...SCALARS, ...LISTS);
export const attributes = (name = 'attributes'): string => `${name} ${array('key String', `value ${ANY}`)}`;
/** Of what there may be many inside one item: their lists are left unread. */
export const scalarAttributes = (name = 'attributes'): string =>
  `${name} ${array('key String', `value ${tuple(`value Enum8(${ALL_ARMS})`, ...SCALARS)}`)}`;

/** The columns of a segment as a table of protobuf messages, one row a request; `parts` is what a request repeats. */
export const segmentColumns = (parts: string): string =>
  [parts, `receipt ${tuple('received_at_unix_nano UInt64', 'sender String', 'digest String')}`].join(', ');
