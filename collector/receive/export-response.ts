// What a sender hears of a request that is stored: nothing, or what was left out of it, or dropped from it.
// Source: opentelemetry-proto collector/*/v1, Export*PartialSuccess; docs/specification.md, "Partial Success".

import { ProtobufWriter } from '../../kit/protobuf.ts';
import { ITEMS, type Signal } from '../signals.ts';

export interface Taken {
  readonly signal: Signal;
  /** Spans left out: their trace or span id is missing, zero or of the wrong length. */
  readonly badIds: number;
  /** Attributes named `outrider.*` that nobody vouched for; the rest of their items is stored. */
  readonly foreign: number;
  /** Resources and scopes that said to be what the sender's token is not. */
  readonly overruled: number;
  /** By which the collector's log is asked for a proof that the request is in it; null when it held nothing. */
  readonly receipt: Buffer | null;
}

/** Name of the header, or metadata, that says `sha256:<hex>` of a request that is stored. */
export const RECEIPT_HEADER = 'x-outrider-receipt';

export const receiptText = (receipt: Buffer): string => `sha256:${receipt.toString('hex')}`;

const REJECTED: Readonly<Record<Signal, string>> = {
  traces: 'rejectedSpans',
  logs: 'rejectedLogRecords',
  metrics: 'rejectedDataPoints',
};

/** ExportTraceServiceResponse and its like: no bytes when there is nothing to say. */
export function responseAsProtobuf(taken: Taken): Buffer {
  const writer = new ProtobufWriter(256);
  const sentence = sentenceOf(taken);
  if (sentence !== '')
    writer.message(1, () => {
      if (taken.badIds > 0) writer.uint(1, taken.badIds);
      writer.string(2, sentence);
    });
  return writer.finish();
}

export function responseAsJson(taken: Taken): string {
  const errorMessage = sentenceOf(taken);
  if (errorMessage === '') return '{}';
  const rejected = taken.badIds > 0 ? { [REJECTED[taken.signal]]: String(taken.badIds) } : {};
  return JSON.stringify({ partialSuccess: { ...rejected, errorMessage } });
}

/** With nothing rejected a message is a warning, and exporters log it. */
function sentenceOf({ signal, badIds, foreign, overruled }: Taken): string {
  const said: string[] = [];
  if (badIds > 0)
    said.push(
      `${badIds} ${ITEMS[signal]} have a missing, zero or wrongly sized trace or span id and were left out`,
    );
  if (foreign > 0)
    said.push(
      `${foreign} attributes named outrider.* were dropped: they count only from who shows a join token`,
    );
  if (overruled > 0)
    said.push(
      `${overruled} resources or scopes claim what this token does not, and are stored as what it does`,
    );
  return said.join('; ');
}
