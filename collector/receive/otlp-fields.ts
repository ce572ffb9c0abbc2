// What a table of OTLP messages is made of: the kinds of values, and the names of all messages.
// Source: open-telemetry/opentelemetry-proto (1.x).

import { BYTES, FIXED32, FIXED64, VARINT } from '../../kit/protobuf.ts';

export const WIRE_TYPES = {
  string: BYTES,
  bytes: BYTES,
  /** Bytes too, but hex in JSON: trace and span ids. */
  id: BYTES,
  bool: VARINT,
  enum: VARINT,
  uint32: VARINT,
  sint32: VARINT,
  int64: VARINT,
  double: FIXED64,
  fixed64: FIXED64,
  sfixed64: FIXED64,
  fixed32: FIXED32,
  /** Lists of numbers, packed: one length, then the numbers without tags. */
  doubles: BYTES,
  fixed64s: BYTES,
  uint64s: BYTES,
} as const;
export type Scalar = keyof typeof WIRE_TYPES;

export const MESSAGES = [
  'traces',
  'logs',
  'metrics',
  'resource',
  'scope',
  'keyValue',
  'anyValue',
  'arrayValue',
  'keyValueList',
  'entityRef',
  'resourceSpans',
  'scopeSpans',
  'span',
  'event',
  'link',
  'status',
  'resourceLogs',
  'scopeLogs',
  'logRecord',
  'resourceMetrics',
  'scopeMetrics',
  'metric',
  'gauge',
  'sum',
  'histogram',
  'exponentialHistogram',
  'summary',
  'numberDataPoint',
  'histogramDataPoint',
  'exponentialHistogramDataPoint',
  'buckets',
  'summaryDataPoint',
  'valueAtQuantile',
  'exemplar',
] as const;
export type Message = (typeof MESSAGES)[number];

export interface Field {
  readonly number: number;
  /** lowerCamelCase, as JSON has it. */
  readonly name: string;
  readonly kind: Scalar | Message;
  readonly repeated: boolean;
}

export const one = (number: number, name: string, kind: Scalar | Message): Field => ({
  number,
  name,
  kind,
  repeated: false,
});
export const many = (number: number, name: string, kind: Scalar | Message): Field => ({
  number,
  name,
  kind,
  repeated: true,
});

export function isScalar(kind: Scalar | Message): kind is Scalar {
  return kind in WIRE_TYPES;
}
