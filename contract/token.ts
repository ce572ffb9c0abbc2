// The tokens that a collector knows: what each kind may do, and what its holder may claim to be.

/**
 * `operator`: everything. `sidecar`: what a sidecar asks and reports, of the agents it claims or of all. `reader`: looks, changes nothing. `telemetry`:
 * sends OTLP under the claims it is bound to, as context that counts for nothing.
 */
export const TOKEN_KINDS = ['operator', 'sidecar', 'reader', 'telemetry'] as const;
export type TokenKind = (typeof TOKEN_KINDS)[number];

/**
 * By resource attribute what it may hold; `agent` stands for `service.name`. In a value `*` is any run of characters. One
 * value without it is put in place of whatever a sender says; of several, the sender must say one.
 */
export type Claims = Readonly<Record<string, readonly string[]>>;

/** The claim that names agents, and the resource attribute that it binds. */
export const AGENT_CLAIM = 'agent';
export const AGENT_ATTRIBUTE = 'service.name';

/** POST /v1/tokens. */
export interface TokenOrder {
  /** Stays taken when it is revoked: the record names it. */
  readonly name: string;
  readonly kind: TokenKind;
  /** Of a telemetry token at least one, of a sidecar's the agents it speaks for, if not for all; of others none. */
  readonly claims: Claims;
  /** Null: until it is revoked. */
  readonly for_ms: number | null;
}

/** GET /v1/tokens. */
export interface TokenLine {
  readonly name: string;
  readonly kind: TokenKind;
  readonly claims: Claims;
  /** The token that asked for it, or `collector`. */
  readonly created_by: string;
  readonly created_at: string;
  readonly expires_at: string | null;
}

export interface TokenMade extends TokenLine {
  /** Shown this once: only its digest is kept. */
  readonly token: string;
}

/** `agent=scout|writer,deployment.environment=prod`. */
export const claimsText = (claims: Claims): string =>
  Object.entries(claims)
    .map(([attribute, values]) => `${attribute}=${values.join('|')}`)
    .join(',');
