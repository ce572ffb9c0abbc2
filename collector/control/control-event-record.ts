// A control event as an OTLP request with one log record, which names its link of the chain. The same row always gives the
// same bytes: sent twice, the queue knows it.

import { ATTRIBUTES, CHAINS_ATTRIBUTE } from '../../contract/attributes.ts';
import type { Sealed } from '../../contract/audit-entry.ts';
import { chainRangesOf, chainRangesText } from '../../contract/chain-ranges.ts';
import type { SealableEvent } from '../../contract/control-entry.ts';
import { CONTROL_ATTRIBUTES as A, CONTROL_SCOPE_NAME } from '../../contract/control-event.ts';
import { ProtobufWriter } from '../../kit/protobuf.ts';

export interface NotedEvent extends SealableEvent {
  /** Its place in the chain. */
  readonly link: Omit<Sealed, 'previous'>;
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
    writer.message(1, () => {
      attribute(1, 'service.name', 'outrider-collector');
      attribute(1, CHAINS_ATTRIBUTE, chainRangesText(chainRangesOf([noted.link])));
    });
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
        attribute(6, ATTRIBUTES.auditStream, noted.link.stream);
        attribute(6, ATTRIBUTES.auditSeq, noted.link.seq.toString());
        attribute(6, ATTRIBUTES.auditHash, noted.link.hash);
        attribute(6, ATTRIBUTES.auditEntry, noted.link.entry);
        writer.fixed64(11, atUnixNano);
        writer.string(12, noted.event);
      });
    });
  });
  return writer.finish();
}
