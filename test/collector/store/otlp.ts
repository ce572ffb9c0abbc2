// Writes OTLP trace requests as bytes, and segments as the queue writes them: each request with its receipt behind it,
// and its length in front. Only what the store's tests and the ingest bench need.

import { createHash } from 'node:crypto';
import { receiptBytes } from '../../../collector/receipt.ts';
import { ProtobufWriter } from '../../../kit/protobuf.ts';

export type Value = string | number | bigint | boolean | { double: number } | readonly string[] | Uint8Array;
export type Attributes = Readonly<Record<string, Value>>;

export interface SpanEvent {
  readonly name: string;
  readonly atUnixNano: bigint;
  readonly attributes?: Attributes;
}

export interface Span {
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  readonly parentSpanId?: Uint8Array;
  readonly name: string;
  readonly kind?: number;
  readonly startUnixNano: bigint;
  readonly endUnixNano: bigint;
  readonly attributes?: Attributes;
  readonly events?: readonly SpanEvent[];
  readonly links?: readonly { traceId: Uint8Array; spanId: Uint8Array }[];
  readonly status?: { code: number; message?: string };
}

export interface Request {
  readonly resource?: Attributes;
  readonly scope?: { name: string; version?: string };
  readonly spans: readonly Span[];
}

const writer = new ProtobufWriter(1 << 20);

function writeAny(value: Value): void {
  if (typeof value === 'string') writer.string(1, value);
  else if (typeof value === 'boolean') writer.uint(2, value ? 1 : 0);
  else if (typeof value === 'number' || typeof value === 'bigint') writer.int64(3, BigInt(value));
  else if (value instanceof Uint8Array) writer.bytes(7, value);
  else if ('double' in value) writer.double(4, value.double);
  else writer.message(5, () => writeTexts(value));
}

function writeTexts(texts: readonly string[]): void {
  for (const text of texts) writer.message(1, () => writer.string(1, text));
}

function writeAttributes(field: number, attributes: Attributes = {}): void {
  for (const [key, value] of Object.entries(attributes)) {
    writer.message(field, () => {
      writer.string(1, key);
      writer.message(2, () => writeAny(value));
    });
  }
}

function writeSpan(span: Span): void {
  writer.bytes(1, span.traceId);
  writer.bytes(2, span.spanId);
  if (span.parentSpanId) writer.bytes(4, span.parentSpanId);
  writer.string(5, span.name);
  writer.uint(6, span.kind ?? 3);
  writer.fixed64(7, span.startUnixNano);
  writer.fixed64(8, span.endUnixNano);
  writeAttributes(9, span.attributes);
  for (const event of span.events ?? []) {
    writer.message(11, () => {
      writer.fixed64(1, event.atUnixNano);
      writer.string(2, event.name);
      writeAttributes(3, event.attributes);
    });
  }
  for (const link of span.links ?? []) {
    writer.message(13, () => {
      writer.bytes(1, link.traceId);
      writer.bytes(2, link.spanId);
    });
  }
  const status = span.status;
  if (status) {
    writer.message(15, () => {
      if (status.message) writer.string(2, status.message);
      writer.uint(3, status.code);
    });
  }
}

/** An ExportTraceServiceRequest of one resource and one scope. */
export function requestBytes(request: Request): Buffer {
  writer.message(1, () => {
    writer.message(1, () => writeAttributes(1, request.resource));
    writer.message(2, () => {
      const { name, version = '' } = request.scope ?? { name: 'agent' };
      writer.message(1, () => {
        writer.string(1, name);
        writer.string(2, version);
      });
      for (const span of request.spans) writer.message(2, () => writeSpan(span));
    });
  });
  return writer.finish();
}

/** Requests as the queue keeps them: length, request, receipt. */
export function segmentBytes(
  requests: readonly Buffer[],
  sender: string,
  receivedAtUnixNano: bigint,
): Buffer {
  for (const request of requests) {
    const digest = createHash('sha256').update(request).digest();
    const receipt = receiptBytes({ receivedAtUnixNano, sender, digest });
    writer.varint(request.length + receipt.length);
    writer.raw(request);
    writer.raw(receipt);
  }
  return writer.finish();
}
