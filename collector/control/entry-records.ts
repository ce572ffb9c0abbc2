// The ledger's entries as an OTLP request with one log record each. The same entries always give the same bytes: sent
// twice, the queue knows them.

import { LEDGER_ATTRIBUTES as A, LEDGER_SCOPE_NAME } from '../../contract/ledger-record.ts';
import { ProtobufWriter } from '../../kit/protobuf.ts';

/** Everything as text, by the names of LEDGER_ATTRIBUTES. */
export type ToldEntry = Readonly<Record<keyof typeof A, string>>;

const SEVERITY_INFO = 9;
const NANOSECONDS_PER_MS = 1_000_000n;
const BYTES_PER_ENTRY = 512;
const NAMES = Object.keys(A) as (keyof typeof A)[];

/** An ExportLogsServiceRequest. */
export function entryRecords(entries: readonly ToldEntry[]): Buffer {
  const writer = new ProtobufWriter(BYTES_PER_ENTRY * (entries.length + 1));
  const attribute = (field: number, key: string, value: string) =>
    writer.message(field, () => {
      writer.string(1, key);
      writer.message(2, () => writer.string(1, value));
    });
  writer.message(1, () => {
    writer.message(1, () => attribute(1, 'service.name', 'outrider-collector'));
    writer.message(2, () => {
      writer.message(1, () => writer.string(1, LEDGER_SCOPE_NAME));
      for (const entry of entries) {
        writer.message(2, () => {
          const atUnixNano = BigInt(entry.at) * NANOSECONDS_PER_MS;
          writer.fixed64(1, atUnixNano);
          writer.uint(2, SEVERITY_INFO);
          writer.message(5, () => writer.string(1, entry.why));
          for (const name of NAMES) attribute(6, A[name], entry[name]);
          writer.fixed64(11, atUnixNano);
          writer.string(12, entry.kind);
        });
      }
    });
  });
  return writer.finish();
}
