// The OTLP messages, once: number, JSON name and kind of every field. The framing walk reads wire types and nesting from
// it, the JSON door names and kinds. A field that is not here is skipped by the one and ignored by the other.
// Source: open-telemetry/opentelemetry-proto, trace/v1, logs/v1, common/v1, resource/v1 and collector/*/v1 (1.x).

import { type Field, type Message, many, one } from './otlp-fields.ts';
import { METRICS_FIELDS } from './otlp-metrics-shape.ts';

export const FIELDS: Readonly<Record<Message, readonly Field[]>> = {
  ...METRICS_FIELDS,
  traces: [many(1, 'resourceSpans', 'resourceSpans')],
  resourceSpans: [
    one(1, 'resource', 'resource'),
    many(2, 'scopeSpans', 'scopeSpans'),
    one(3, 'schemaUrl', 'string'),
  ],
  resource: [
    many(1, 'attributes', 'keyValue'),
    one(2, 'droppedAttributesCount', 'uint32'),
    many(3, 'entityRefs', 'entityRef'),
  ],
  scopeSpans: [one(1, 'scope', 'scope'), many(2, 'spans', 'span'), one(3, 'schemaUrl', 'string')],
  scope: [
    one(1, 'name', 'string'),
    one(2, 'version', 'string'),
    many(3, 'attributes', 'keyValue'),
    one(4, 'droppedAttributesCount', 'uint32'),
  ],
  span: [
    one(1, 'traceId', 'id'),
    one(2, 'spanId', 'id'),
    one(3, 'traceState', 'string'),
    one(4, 'parentSpanId', 'id'),
    one(5, 'name', 'string'),
    one(6, 'kind', 'enum'),
    one(7, 'startTimeUnixNano', 'fixed64'),
    one(8, 'endTimeUnixNano', 'fixed64'),
    many(9, 'attributes', 'keyValue'),
    one(10, 'droppedAttributesCount', 'uint32'),
    many(11, 'events', 'event'),
    one(12, 'droppedEventsCount', 'uint32'),
    many(13, 'links', 'link'),
    one(14, 'droppedLinksCount', 'uint32'),
    one(15, 'status', 'status'),
    one(16, 'flags', 'fixed32'),
  ],
  event: [
    one(1, 'timeUnixNano', 'fixed64'),
    one(2, 'name', 'string'),
    many(3, 'attributes', 'keyValue'),
    one(4, 'droppedAttributesCount', 'uint32'),
  ],
  link: [
    one(1, 'traceId', 'id'),
    one(2, 'spanId', 'id'),
    one(3, 'traceState', 'string'),
    many(4, 'attributes', 'keyValue'),
    one(5, 'droppedAttributesCount', 'uint32'),
    one(6, 'flags', 'fixed32'),
  ],
  status: [one(2, 'message', 'string'), one(3, 'code', 'enum')],
  logs: [many(1, 'resourceLogs', 'resourceLogs')],
  resourceLogs: [
    one(1, 'resource', 'resource'),
    many(2, 'scopeLogs', 'scopeLogs'),
    one(3, 'schemaUrl', 'string'),
  ],
  scopeLogs: [one(1, 'scope', 'scope'), many(2, 'logRecords', 'logRecord'), one(3, 'schemaUrl', 'string')],
  logRecord: [
    one(1, 'timeUnixNano', 'fixed64'),
    one(2, 'severityNumber', 'enum'),
    one(3, 'severityText', 'string'),
    one(5, 'body', 'anyValue'),
    many(6, 'attributes', 'keyValue'),
    one(7, 'droppedAttributesCount', 'uint32'),
    one(8, 'flags', 'fixed32'),
    one(9, 'traceId', 'id'),
    one(10, 'spanId', 'id'),
    one(11, 'observedTimeUnixNano', 'fixed64'),
    one(12, 'eventName', 'string'),
  ],
  keyValue: [one(1, 'key', 'string'), one(2, 'value', 'anyValue')],
  anyValue: [
    one(1, 'stringValue', 'string'),
    one(2, 'boolValue', 'bool'),
    one(3, 'intValue', 'int64'),
    one(4, 'doubleValue', 'double'),
    one(5, 'arrayValue', 'arrayValue'),
    one(6, 'kvlistValue', 'keyValueList'),
    one(7, 'bytesValue', 'bytes'),
  ],
  arrayValue: [many(1, 'values', 'anyValue')],
  keyValueList: [many(1, 'values', 'keyValue')],
  entityRef: [
    one(1, 'schemaUrl', 'string'),
    one(2, 'type', 'string'),
    many(3, 'idKeys', 'string'),
    many(4, 'descriptionKeys', 'string'),
  ],
};

/** Fields of which a message may hold one. */
export const ONE_OF: Readonly<Partial<Record<Message, readonly string[]>>> = {
  anyValue: FIELDS.anyValue.map(({ name }) => name),
  metric: ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'],
  numberDataPoint: ['asDouble', 'asInt'],
  exemplar: ['asDouble', 'asInt'],
};

const WITHOUT_LISTS: ReadonlySet<Message> = new Set(['event', 'link', 'exemplar']);

/** Of lists within lists the database reads so many in a value of this message (store/otlp-schema.ts). */
export const listLevelsIn = (message: Message): number => (WITHOUT_LISTS.has(message) ? 0 : 1);

/** protobuf's own default recursion limit. */
export const DEPTH_MAX = 100;
