// OTLP requests as bytes, made field by field, so that a test can also make them wrong.

import { ProtobufWriter } from '../../../kit/protobuf.ts';

export interface SpanSketch {
  readonly traceId?: string;
  readonly spanId?: string;
  readonly name?: string;
}

export const TRACE_ID = '5b8efff798038103d269b633813fc60c';

/** A span id from a number, never zero. */
export function spanIdOf(number: number): string {
  return (BigInt(number) + 1n).toString(16).padStart(16, '0');
}

/** An ExportTraceServiceRequest of one resource and one scope. */
export function requestOf(spans: readonly SpanSketch[]): Buffer {
  const writer = new ProtobufWriter(1024);
  writer.message(1, () =>
    writer.message(2, () => {
      for (const span of spans) writer.message(2, () => writeSpan(writer, span));
    }),
  );
  return writer.finish();
}

function writeSpan(writer: ProtobufWriter, span: SpanSketch): void {
  writer.bytes(1, Buffer.from(span.traceId ?? TRACE_ID, 'hex'));
  writer.bytes(2, Buffer.from(span.spanId ?? spanIdOf(0), 'hex'));
  writer.string(5, span.name ?? 'chat gpt-5-mini');
  writer.uint(6, 3);
  writer.fixed64(7, 1_760_000_000_000_000_000n);
  writer.fixed64(8, 1_760_000_000_250_000_000n);
  writer.message(9, () => {
    writer.string(1, 'gen_ai.request.model');
    writer.message(2, () => writer.string(1, 'gpt-5-mini'));
  });
}

/** A request whose one attribute nests `levels` arrays deep. */
export function nestedRequest(levels: number): Buffer {
  const writer = new ProtobufWriter(1024);
  const value = (left: number): void => {
    if (left === 0) writer.string(1, 'bottom');
    else writer.message(5, () => writer.message(1, () => value(left - 1)));
  };
  writer.message(1, () =>
    writer.message(1, () =>
      writer.message(1, () => {
        writer.string(1, 'deep');
        writer.message(2, () => value(levels));
      }),
    ),
  );
  return writer.finish();
}
