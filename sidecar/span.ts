// A record as an OTLP span, written straight to protobuf: one per call, CLIENT kind, with an event for each tool the
// model asked its agent to run. Source: opentelemetry-proto trace/v1/trace.proto, common/v1/common.proto.

import { ATTRIBUTES, SCOPE_NAME, TOOL_REQUEST_EVENT } from '../contract/attributes.ts';
import type { Sealed } from '../contract/audit-entry.ts';
import { ProtobufWriter } from '../kit/protobuf.ts';
import { attributesOf, type CallRecord } from './record.ts';

const SPAN_KIND_CLIENT = 3;
const STATUS_OK = 1;
const STATUS_ERROR = 2;

const writer = new ProtobufWriter(16_384);

/** The bytes of one `Span` message. */
export function encodeSpan(record: CallRecord, sealed: Sealed): Buffer {
  const startNano = nanoseconds(record.startedAtMs);
  const endNano = startNano + nanoseconds(Math.max(0, record.durationMs));
  writer.bytes(1, Buffer.from(record.traceId, 'hex'));
  writer.bytes(2, Buffer.from(record.spanId, 'hex'));
  if (record.traceState) writer.string(3, record.traceState);
  if (record.parentSpanId) writer.bytes(4, Buffer.from(record.parentSpanId, 'hex'));
  writer.string(5, nameOf(record));
  writer.uint(6, SPAN_KIND_CLIENT);
  writer.fixed64(7, startNano);
  writer.fixed64(8, endNano);
  for (const [name, value] of attributesOf(record, sealed)) attribute(9, name, value);
  if (record.timeToFirstByteMs !== null)
    seconds(9, ATTRIBUTES.timeToFirstByte, record.timeToFirstByteMs / 1000);
  for (const request of record.toolRequests) {
    writer.message(11, () => {
      writer.fixed64(1, endNano);
      writer.string(2, TOOL_REQUEST_EVENT);
      attribute(3, ATTRIBUTES.toolName, request.name);
      attribute(3, ATTRIBUTES.toolCallId, request.id);
      attribute(3, ATTRIBUTES.toolArgumentsDigest, request.argumentsDigest);
    });
  }
  writer.message(15, () => {
    if (record.status !== 'success') writer.string(2, record.refusal || record.errorType || record.status);
    writer.uint(3, record.status === 'success' ? STATUS_OK : STATUS_ERROR);
  });
  return writer.finish();
}

/** `{operation} {model}` as the GenAI conventions name it; `{method} {upstream}` for anything else. */
function nameOf(record: CallRecord): string {
  if (record.operation && record.requestModel) return `${record.operation} ${record.requestModel}`;
  return `${record.method} ${record.upstream || 'unknown'}`;
}

function attribute(
  field: number,
  name: string,
  value: string | number | bigint | boolean | readonly string[],
): void {
  writer.message(field, () => {
    writer.string(1, name);
    writer.message(2, () => {
      if (typeof value === 'string') writer.string(1, value);
      else if (typeof value === 'boolean') writer.uint(2, value ? 1 : 0);
      else if (typeof value === 'bigint') writer.int64(3, value);
      else if (typeof value === 'number') writer.uint(3, value);
      else writer.message(5, () => strings(value));
    });
  });
}

function strings(values: readonly string[]): void {
  for (const value of values) writer.message(1, () => writer.string(1, value));
}

function seconds(field: number, name: string, value: number): void {
  writer.message(field, () => {
    writer.string(1, name);
    writer.message(2, () => writer.double(4, value));
  });
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

/** Milliseconds with a fraction → nanoseconds, without losing the whole milliseconds to a float. */
function nanoseconds(ms: number): bigint {
  const whole = Math.floor(ms);
  return BigInt(whole) * 1_000_000n + BigInt(Math.round((ms - whole) * 1_000_000));
}
