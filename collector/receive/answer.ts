// Answers over HTTP, in the request's own encoding, as OTLP asks: a success, whole or partial, or a google.rpc.Status.
// Source: opentelemetry-proto docs/specification.md, "OTLP/HTTP Response".

import type { ServerResponse } from 'node:http';
import {
  RECEIPT_HEADER,
  receiptText,
  responseAsJson,
  responseAsProtobuf,
  type Taken,
} from './export-response.ts';
import { statusAsJson, statusAsProtobuf } from './rpc-status.ts';
import { isRetryable, RETRY_AFTER_SECONDS, type Unacceptable } from './unacceptable.ts';

export const ENCODINGS = { protobuf: 'application/x-protobuf', json: 'application/json' } as const;
export type Encoding = keyof typeof ENCODINGS;

export function answerStored(response: ServerResponse, encoding: Encoding, taken: Taken): void {
  if (taken.receipt) response.setHeader(RECEIPT_HEADER, receiptText(taken.receipt));
  send(response, 200, encoding, encoding === 'json' ? responseAsJson(taken) : responseAsProtobuf(taken));
}

export function answerFailure(response: ServerResponse, encoding: Encoding, refusal: Unacceptable): void {
  const { status } = refusal;
  if (isRetryable(refusal)) response.setHeader('retry-after', RETRY_AFTER_SECONDS);
  if (status === 401) response.setHeader('www-authenticate', 'Bearer');
  if (status === 405) response.setHeader('allow', 'POST');
  send(response, status, encoding, encoding === 'json' ? statusAsJson(refusal) : statusAsProtobuf(refusal));
}

function send(response: ServerResponse, status: number, encoding: Encoding, body: string | Buffer): void {
  response.writeHead(status, {
    'content-type': ENCODINGS[encoding],
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}
