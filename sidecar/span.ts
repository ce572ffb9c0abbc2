// A record as an OTLP span, written straight to protobuf: one per call, CLIENT kind, with an event for each tool the
// model asked its agent to run. Source: opentelemetry-proto trace/v1/trace.proto, common/v1/common.proto.
//
// It runs once per call, so it is written for speed: attribute names are encoded once for good, every length is known
// before it is written, and short texts are copied here rather than by a call into native code each.

import { ATTRIBUTES, SCOPE_NAME, TOOL_REQUEST_EVENT } from '../contract/attributes.ts';
import type { Sealed } from '../contract/audit-entry.ts';
import { ProtobufWriter, varintBytes } from '../kit/protobuf.ts';
import type { ToolRequest } from './dialects/metered.ts';
import { type AttributeValue, attributesOf, type CallRecord, nanoseconds } from './record.ts';

const SPAN_KIND_CLIENT = 3;
const STATUS_OK = 1;
const STATUS_ERROR = 2;

const out = new ProtobufWriter(16_384);
const keys = new Map<string, Buffer>();

/** The bytes of one `Span` message. */
export function encodeSpan(record: CallRecord, sealed: Sealed): Buffer {
  const start = nanoseconds(record.startedAtMs);
  const end = start + nanoseconds(Math.max(0, record.durationMs));
  out.bytes(1, Buffer.from(record.traceId, 'hex'));
  out.bytes(2, Buffer.from(record.spanId, 'hex'));
  if (record.traceState) out.string(3, record.traceState);
  if (record.parentSpanId) out.bytes(4, Buffer.from(record.parentSpanId, 'hex'));
  out.string(5, nameOf(record));
  out.uint(6, SPAN_KIND_CLIENT);
  out.fixed64(7, start);
  out.fixed64(8, end);
  for (const [name, value] of attributesOf(record, sealed)) {
    if (value !== null && value !== '') attribute(9, name, value);
  }
  if (record.timeToFirstByteMs !== null)
    seconds(9, ATTRIBUTES.timeToFirstByte, record.timeToFirstByteMs / 1000);
  for (const request of record.toolRequests) out.message(11, () => toolRequest(request, end));
  out.message(15, () => status(record));
  return out.finish();
}

/**
 * `{operation} {model}` and `{method} {tool}` as the GenAI and MCP conventions name it; `{method} {upstream}` for anything
 * else.
 */
function nameOf(record: CallRecord): string {
  if (record.rpc) return record.rpc.name ? `${record.rpc.method} ${record.rpc.name}` : record.rpc.method;
  if (record.operation && record.requestModel) return `${record.operation} ${record.requestModel}`;
  return `${record.method} ${record.upstream || 'unknown'}`;
}

function status(record: CallRecord): void {
  if (record.status !== 'success') out.string(2, record.refusal || record.errorType || record.status);
  out.uint(3, record.status === 'success' ? STATUS_OK : STATUS_ERROR);
}

function toolRequest(request: ToolRequest, timeNano: bigint): void {
  out.fixed64(1, timeNano);
  out.string(2, TOOL_REQUEST_EVENT);
  attribute(3, ATTRIBUTES.toolName, request.name);
  attribute(3, ATTRIBUTES.toolCallId, request.id);
  attribute(3, ATTRIBUTES.toolArgumentsDigest, request.argumentsDigest);
}

/** A KeyValue: its key is field 1, its AnyValue field 2. */
function attribute(field: number, name: string, value: AttributeValue): void {
  if (typeof value === 'string') return stringAttribute(field, name, value);
  const key = keyOf(name);
  out.message(field, () => {
    out.raw(key);
    out.message(2, () => anyValue(value));
  });
}

function anyValue(value: AttributeValue): void {
  if (typeof value === 'number') out.uint(3, value);
  else if (typeof value === 'bigint') out.int64(3, value);
  else if (typeof value === 'boolean') out.uint(2, value ? 1 : 0);
  else if (typeof value === 'string') out.string(1, value);
  else out.message(5, () => strings(value));
}

function strings(values: readonly string[]): void {
  for (const value of values) out.message(1, () => out.string(1, value));
}

/** The common case, without closures: three lengths, known from the first byte on. */
function stringAttribute(field: number, name: string, value: string): void {
  const key = keyOf(name);
  const bytes = out.textBytes(value);
  const inner = 1 + varintBytes(bytes) + bytes;
  out.tag(field, 2);
  out.varint(key.length + 1 + varintBytes(inner) + inner);
  out.raw(key);
  out.tag(2, 2);
  out.varint(inner);
  out.tag(1, 2);
  out.varint(bytes);
  out.text(value, bytes);
}

function seconds(field: number, name: string, value: number): void {
  const key = keyOf(name);
  out.message(field, () => {
    out.raw(key);
    out.message(2, () => out.double(4, value));
  });
}

/** The `key` field of an attribute, encoded once per name. */
function keyOf(name: string): Buffer {
  let key = keys.get(name);
  if (!key) {
    const writer = new ProtobufWriter(64);
    writer.string(1, name);
    key = writer.finish();
    keys.set(name, key);
  }
  return key;
}

/** One ExportTraceServiceRequest around spans that are already encoded. */
export function encodeRequest(spans: readonly Buffer[], resource: Readonly<Record<string, string>>): Buffer {
  const request = new ProtobufWriter(spans.reduce((sum, span) => sum + span.length + 16, 1024));
  request.message(1, () => {
    request.message(1, () => {
      for (const [name, value] of Object.entries(resource)) {
        request.message(1, () => {
          request.string(1, name);
          request.message(2, () => request.string(1, value));
        });
      }
    });
    request.message(2, () => {
      request.message(1, () => request.string(1, SCOPE_NAME));
      for (const span of spans) request.bytes(2, span);
    });
  });
  return request.finish();
}
