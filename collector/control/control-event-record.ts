// A control event as an OTLP request with one log record. The same row always gives the same bytes: sent twice, the queue
// knows it.

import { CONTROL_ATTRIBUTES as A, CONTROL_SCOPE_NAME } from '../../contract/control-event.ts';
import { ProtobufWriter } from '../../kit/protobuf.ts';

export interface NotedEvent {
  readonly id: string;
  readonly atMs: number;
  readonly event: string;
  readonly actor: string;
  readonly agent: string;
  readonly reason: string;
  /** JSON, as the database writes it. */
  readonly details: string;
}

const SEVERITY_INFO = 9;
const NANOSECONDS_PER_MS = 1_000_000n;

/** An ExportLogsServiceRequest. */
export function controlEventRecord(noted: NotedEvent): Buffer {
  const writer = new ProtobufWriter(1024);
  const attribute = (field: number, key: string, value: string) =>
    writer.message(field, () => {
      writer.string(1, key);
      writer.message(2, () => writer.string(1, value));
    });
  writer.message(1, () => {
    writer.message(1, () => attribute(1, 'service.name', 'outrider-collector'));
    writer.message(2, () => {
      writer.message(1, () => writer.string(1, CONTROL_SCOPE_NAME));
      writer.message(2, () => {
        const atUnixNano = BigInt(noted.atMs) * NANOSECONDS_PER_MS;
        writer.fixed64(1, atUnixNano);
        writer.uint(2, SEVERITY_INFO);
        writer.string(3, 'INFO');
        writer.message(5, () => writer.string(1, noted.event));
        attribute(6, A.id, noted.id);
        attribute(6, A.event, noted.event);
        attribute(6, A.actor, noted.actor);
        attribute(6, A.agent, noted.agent);
        attribute(6, A.reason, noted.reason);
        attribute(6, A.details, noted.details);
        writer.fixed64(11, atUnixNano);
        writer.string(12, noted.event);
      });
    });
  });
  return writer.finish();
}
