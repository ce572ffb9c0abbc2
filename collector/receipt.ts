// What the collector writes behind every request it accepts: when it came, from whom, and the digest of its bytes.
// Protobuf messages concatenate, so the receipt is simply appended to the request's own bytes: readers that know only
// OTLP skip the field, and the database reads it from the same bytes as the spans.

import { ProtobufWriter } from '../kit/protobuf.ts';

/** The field of ExportTraceServiceRequest that is ours; OTLP uses 1, and a request that carries this one is refused. */
export const RECEIPT_FIELD = 1000;
export const RECEIPT_RECEIVED_AT_FIELD = 1;
export const RECEIPT_SENDER_FIELD = 2;
export const RECEIPT_DIGEST_FIELD = 3;

export interface Receipt {
  readonly receivedAtUnixNano: bigint;
  /** Who authenticated, e.g. `trend-scout/host-1`; '' when nobody did. */
  readonly sender: string;
  /** SHA-256 of the request's bytes as accepted, without the receipt. */
  readonly digest: Uint8Array;
}

/** The bytes to append to an accepted request. */
export function receiptBytes(receipt: Receipt): Buffer {
  const writer = new ProtobufWriter(128);
  writer.message(RECEIPT_FIELD, () => {
    writer.fixed64(RECEIPT_RECEIVED_AT_FIELD, receipt.receivedAtUnixNano);
    writer.string(RECEIPT_SENDER_FIELD, receipt.sender);
    writer.bytes(RECEIPT_DIGEST_FIELD, receipt.digest);
  });
  return writer.finish();
}
