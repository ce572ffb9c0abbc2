// Why a request is not taken, whatever it came by: a status of HTTP, and the google.rpc code that says the same.
// Source: googleapis google/rpc/code.proto; opentelemetry-proto docs/specification.md, "Failures".

/** A refusal that OTLP calls retryable carries how long to wait; of these only 503 is. */
export const RPC_CODES = {
  400: 3,
  401: 16,
  403: 7,
  404: 5,
  405: 12,
  413: 8,
  415: 3,
  431: 3,
  503: 14,
} as const;
export type FailureStatus = keyof typeof RPC_CODES;

export const RETRY_AFTER_SECONDS = 1;

/** Thrown anywhere on a request's way, answered in one place. */
export class Unacceptable extends Error {
  override name = 'Unacceptable';
  readonly status: FailureStatus;
  /** Of a 400: what of the request is wrong, a byte or a JSON path. */
  readonly place: string | null;

  constructor(status: FailureStatus, message: string, place: string | null = null) {
    super(message);
    this.status = status;
    this.place = place;
  }
}

export const isRetryable = ({ status }: Unacceptable): boolean => status === 503;
