// Log records of a segment as rows of otel_logs. A record without a time of its own has the time it was observed.
// Source: opentelemetry-proto, logs/v1 and collector/logs/v1; columns as the OpenTelemetry ClickHouse exporter writes them.

import { anyText, attributeMap } from './attribute-sql.ts';
import { clamped, itemsOf, type Load, lowerHex, nanoTime, SERVICE_NAME, STAMP } from './load-parts.ts';
import { ANY, array, attributes, protobufSchema, tuple } from './otlp-schema.ts';

const MESSAGES = `message LogRecord { fixed64 time_unix_nano = 1; int32 severity_number = 2; string severity_text = 3; Any body = 5; repeated Attribute attributes = 6; fixed32 flags = 8; bytes trace_id = 9; bytes span_id = 10; fixed64 observed_time_unix_nano = 11; string event_name = 12; }
message ScopeLogs { Scope scope = 1; repeated LogRecord log_records = 2; string schema_url = 3; }
message ResourceLogs { Resource resource = 1; repeated ScopeLogs scope_logs = 2; string schema_url = 3; }`;

const LOG_RECORD = [
  'time_unix_nano UInt64',
  'observed_time_unix_nano UInt64',
  'severity_number Int32',
  'severity_text String',
  `body ${ANY}`,
  attributes(),
  'flags UInt32',
  'trace_id String',
  'span_id String',
  'event_name String',
];
const SCOPE_LOGS = array(
  `scope ${tuple('name String', 'version String', attributes())}`,
  `log_records ${array(...LOG_RECORD)}`,
  'schema_url String',
);

const FIELDS: Readonly<Record<string, string>> = {
  at: 'if(item.time_unix_nano = 0, item.observed_time_unix_nano, item.time_unix_nano)',
  severity_number: 'item.severity_number',
  severity_text: 'item.severity_text',
  body: 'item.body',
  attributes: 'item.attributes',
  flags: 'item.flags',
  trace_id: 'item.trace_id',
  span_id: 'item.span_id',
  event_name: 'item.event_name',
};

export const LOGS: Load = {
  table: 'otel_logs',
  schema: protobufSchema(MESSAGES, 'ResourceLogs', 'resource_logs'),
  columns: {
    Timestamp: nanoTime(clamped('at')),
    TraceId: lowerHex('trace_id'),
    SpanId: lowerHex('span_id'),
    TraceFlags: 'toUInt8(bitAnd(flags, 255))',
    SeverityText: 'severity_text',
    SeverityNumber: 'toUInt8(least(severity_number, 255))',
    ServiceName: SERVICE_NAME,
    Body: anyText('body'),
    ResourceSchemaUrl: 'resource_schema_url',
    ResourceAttributes: 'resource',
    ScopeSchemaUrl: 'scope_schema_url',
    ScopeName: 'scope_name',
    ScopeVersion: 'scope_version',
    ScopeAttributes: 'scope_attributes',
    LogAttributes: attributeMap('attributes'),
    EventName: 'event_name',
    ...STAMP,
  },
  rows: (source) =>
    itemsOf(source, {
      parts: 'resource_logs',
      partColumns: ['schema_url String'],
      scopes: 'scope_logs',
      scopesType: SCOPE_LOGS,
      items: 'log_records',
      ofPart: { resource_schema_url: 'part.schema_url' },
      ofScope: {
        scope_name: 'scope.scope.name',
        scope_version: 'scope.scope.version',
        scope_attributes: attributeMap('scope.scope.attributes'),
        scope_schema_url: 'scope.schema_url',
      },
      fields: FIELDS,
    }),
};
