// Answers in the request's own encoding, as OTLP asks: an empty or partial success, or a google.rpc.Status.
// Source: opentelemetry-proto docs/specification.md, "OTLP/HTTP Response"; googleapis google/rpc/status.proto, code.proto.

import type { ServerResponse } from 'node:http';
import { ProtobufWriter } from '../../kit/protobuf.ts';

export const ENCODINGS = { protobuf: 'application/x-protobuf', json: 'application/json' } as const;
export type Encoding = keyof typeof ENCODINGS;

/** Each HTTP status we answer, and the google.rpc code that says the same. */
const RPC_CODES = { 400: 3, 401: 16, 404: 5, 405: 12, 413: 3, 415: 3, 503: 14 } as const;
export type FailureStatus = keyof typeof RPC_CODES;

/** Why a request is not taken: thrown anywhere on its way, answered in one place. */
export class Unacceptable extends Error {
  override name = 'Unacceptable';
  readonly status: FailureStatus;

  constructor(status: FailureStatus, message: string) {
    super(message);
    this.status = status;
  }
}

const RETRY_AFTER_SECONDS = 1;

export function answerStored(response: ServerResponse, encoding: Encoding, badIds: number): void {
  const sentence = `${badIds} spans have a missing, zero or wrongly sized trace or span id and were left out`;
  if (badIds === 0) send(response, 200, encoding, encoding === 'json' ? '{}' : '');
  else if (encoding === 'json') {
    const partialSuccess = { rejectedSpans: String(badIds), errorMessage: sentence };
    send(response, 200, encoding, JSON.stringify({ partialSuccess }));
  } else {
    const writer = new ProtobufWriter(256);
    writer.message(1, () => {
      writer.uint(1, badIds);
      writer.string(2, sentence);
    });
    send(response, 200, encoding, writer.finish());
  }
}

export function answerFailure(response: ServerResponse, encoding: Encoding, failure: Unacceptable): void {
  const { status, message } = failure;
  const code = RPC_CODES[status];
  if (status === 503) response.setHeader('retry-after', RETRY_AFTER_SECONDS);
  if (status === 401) response.setHeader('www-authenticate', 'Bearer');
  if (status === 405) response.setHeader('allow', 'POST');
  if (encoding === 'json') send(response, status, encoding, JSON.stringify({ code, message }));
  else {
    const writer = new ProtobufWriter(256);
    writer.uint(1, code);
    writer.string(2, message);
    send(response, status, encoding, writer.finish());
  }
}

function send(response: ServerResponse, status: number, encoding: Encoding, body: string | Buffer): void {
  response.writeHead(status, {
    'content-type': ENCODINGS[encoding],
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}
