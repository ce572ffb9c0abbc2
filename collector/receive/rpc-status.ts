// A refusal as google.rpc.Status, in either encoding: with what is wrong (BadRequest), or when to come back (RetryInfo).
// Source: googleapis google/rpc/status.proto and error_details.proto; protobuf's JSON mapping of Any and Duration.

import { ProtobufWriter } from '../../kit/protobuf.ts';
import { isRetryable, RETRY_AFTER_SECONDS, RPC_CODES, type Unacceptable } from './unacceptable.ts';

const BAD_REQUEST = 'type.googleapis.com/google.rpc.BadRequest';
const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo';

export function statusAsJson(refusal: Unacceptable): string {
  const { status, message, place } = refusal;
  const details: object[] = [];
  if (place !== null)
    details.push({ '@type': BAD_REQUEST, fieldViolations: [{ field: place, description: message }] });
  if (isRetryable(refusal)) details.push({ '@type': RETRY_INFO, retryDelay: `${RETRY_AFTER_SECONDS}s` });
  return JSON.stringify({ code: RPC_CODES[status], message, ...(details.length > 0 ? { details } : {}) });
}

export function statusAsProtobuf(refusal: Unacceptable): Buffer {
  const { status, message, place } = refusal;
  const writer = new ProtobufWriter(256);
  const detail = (type: string, write: () => void): void =>
    writer.message(3, () => {
      writer.string(1, type);
      writer.message(2, write);
    });
  writer.uint(1, RPC_CODES[status]);
  writer.string(2, message);
  if (place !== null)
    detail(BAD_REQUEST, () =>
      writer.message(1, () => {
        writer.string(1, place);
        writer.string(2, message);
      }),
    );
  if (isRetryable(refusal))
    detail(RETRY_INFO, () => writer.message(1, () => writer.uint(1, RETRY_AFTER_SECONDS)));
  return writer.finish();
}
