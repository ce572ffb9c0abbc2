// Why no connection was opened. Nothing was sent: a failure of the dial is never a failure in the middle of a call.

/** `forbidden`: it must not be dialled. `unreachable`: it could not be. */
export type DialFailureKind = 'forbidden' | 'unreachable';

export class DialFailure extends Error {
  override name = 'DialFailure';
  readonly kind: DialFailureKind;
  /** snake_case: `addr_private`, `self_connect`, `bad_host`; `dns_error`, `upstream_tls`, `connect_failed`, `connect_timeout`. */
  readonly reason: string;
  readonly host: string;
  /** The address that was judged; null where it did not come to one. */
  readonly address: string | null;

  constructor(
    kind: DialFailureKind,
    reason: string,
    detail: { readonly host: string; readonly address?: string; readonly cause?: unknown },
  ) {
    super(`${reason}: ${detail.host}`, { cause: detail.cause });
    this.kind = kind;
    this.reason = reason;
    this.host = detail.host;
    this.address = detail.address ?? null;
  }
}
