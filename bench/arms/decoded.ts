// The arm that decodes in JavaScript, as collectors written in it do: protobufjs' generated decoder makes objects of a
// request, these become rows of the exporter's columns, and the rows go to the same table as JSON. It fills no column of
// its own beyond that, so it does less than a load.

import protobuf from 'protobufjs';

const field = (id: number, type: string) => ({ id, type });
const many = (id: number, type: string) => ({ id, type, rule: 'repeated' });

/** Of opentelemetry/proto/trace/v1/trace.proto, what the rows need. */
const { ExportTraceServiceRequest } = protobuf.Root.fromJSON({
  nested: {
    ExportTraceServiceRequest: { fields: { resourceSpans: many(1, 'ResourceSpans') } },
    ResourceSpans: { fields: { resource: field(1, 'Resource'), scopeSpans: many(2, 'ScopeSpans') } },
    Resource: { fields: { attributes: many(1, 'KeyValue') } },
    ScopeSpans: { fields: { scope: field(1, 'Scope'), spans: many(2, 'Span') } },
    Scope: { fields: { name: field(1, 'string'), version: field(2, 'string') } },
    Span: {
      fields: {
        traceId: field(1, 'bytes'),
        spanId: field(2, 'bytes'),
        traceState: field(3, 'string'),
        parentSpanId: field(4, 'bytes'),
        name: field(5, 'string'),
        kind: field(6, 'int32'),
        startTimeUnixNano: field(7, 'fixed64'),
        endTimeUnixNano: field(8, 'fixed64'),
        attributes: many(9, 'KeyValue'),
        status: field(15, 'Status'),
      },
    },
    Status: { fields: { message: field(2, 'string'), code: field(3, 'int32') } },
    KeyValue: { fields: { key: field(1, 'string'), value: field(2, 'AnyValue') } },
    AnyValue: {
      fields: {
        stringValue: field(1, 'string'),
        boolValue: field(2, 'bool'),
        intValue: field(3, 'int64'),
        doubleValue: field(4, 'double'),
        arrayValue: field(5, 'ArrayValue'),
      },
    },
    ArrayValue: { fields: { values: many(1, 'AnyValue') } },
  },
}) as unknown as { readonly ExportTraceServiceRequest: protobuf.Type };

interface AnyValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: unknown;
  readonly doubleValue?: number;
  readonly arrayValue?: { readonly values: readonly AnyValue[] };
}

interface KeyValue {
  readonly key: string;
  readonly value: AnyValue;
}

interface Span {
  readonly traceId: Buffer;
  readonly spanId: Buffer;
  readonly traceState: string;
  readonly parentSpanId: Buffer;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: unknown;
  readonly endTimeUnixNano: unknown;
  readonly attributes: readonly KeyValue[];
  readonly status?: { readonly message: string; readonly code: number };
}

interface Request {
  readonly resourceSpans: readonly {
    readonly resource?: { readonly attributes: readonly KeyValue[] };
    readonly scopeSpans: readonly {
      readonly scope?: { readonly name: string; readonly version: string };
      readonly spans: readonly Span[];
    }[];
  }[];
}

const KINDS = ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'];
const CODES = ['Unset', 'Ok', 'Error'];
const NANOSECOND_DIGITS = 9;

/** Of `otel_traces`, what the rows give. */
export const COLUMNS: Readonly<Record<string, string>> = {
  Timestamp: 'DateTime64(9)',
  TraceId: 'String',
  SpanId: 'String',
  ParentSpanId: 'String',
  TraceState: 'String',
  SpanName: 'String',
  SpanKind: 'String',
  ServiceName: 'String',
  ResourceAttributes: 'Map(String, String)',
  ScopeName: 'String',
  ScopeVersion: 'String',
  SpanAttributes: 'Map(String, String)',
  Duration: 'UInt64',
  StatusCode: 'String',
  StatusMessage: 'String',
};

/** Lines of `JSONEachRow` for `otel_traces`. */
export function decodedRows(request: Buffer): string {
  const { resourceSpans } = ExportTraceServiceRequest.decode(request) as unknown as Request;
  const lines: string[] = [];
  for (const { resource, scopeSpans } of resourceSpans) {
    const ResourceAttributes = mapOf(resource?.attributes ?? []);
    for (const { scope, spans } of scopeSpans)
      for (const span of spans)
        lines.push(
          JSON.stringify({
            ...columnsOf(span),
            ResourceAttributes,
            ServiceName: ResourceAttributes['service.name'] ?? '',
            ScopeName: scope?.name ?? '',
            ScopeVersion: scope?.version ?? '',
          }),
        );
  }
  return lines.join('\n');
}

function columnsOf(span: Span) {
  const start = BigInt(String(span.startTimeUnixNano));
  return {
    Timestamp: secondsText(start),
    TraceId: span.traceId.toString('hex'),
    SpanId: span.spanId.toString('hex'),
    ParentSpanId: span.parentSpanId.toString('hex'),
    TraceState: span.traceState,
    SpanName: span.name,
    SpanKind: KINDS[span.kind] ?? 'Unspecified',
    SpanAttributes: mapOf(span.attributes),
    Duration: String(BigInt(String(span.endTimeUnixNano)) - start),
    StatusCode: CODES[span.status?.code ?? 0] ?? 'Unset',
    StatusMessage: span.status?.message ?? '',
  };
}

function secondsText(nanoseconds: bigint): string {
  const digits = nanoseconds.toString().padStart(NANOSECOND_DIGITS + 1, '0');
  return `${digits.slice(0, -NANOSECOND_DIGITS)}.${digits.slice(-NANOSECOND_DIGITS)}`;
}

function mapOf(attributes: readonly KeyValue[]): Record<string, string> {
  const map: Record<string, string> = {};
  for (const { key, value } of attributes) map[key] = textOf(value);
  return map;
}

function textOf({ arrayValue, ...value }: AnyValue): string {
  if (arrayValue) return JSON.stringify(arrayValue.values.map(textOf));
  return String(value.stringValue ?? value.intValue ?? value.doubleValue ?? value.boolValue ?? '');
}
