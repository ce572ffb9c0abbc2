// Taking back what was said, by its hash: every record that names the hash stays true.

/** POST /v1/store/erase. Either hashes or a call. */
export interface ErasureOrder {
  /** SHA-256, lower-case hex, without `sha256:`. */
  readonly hashes: readonly string[];
  /** A call's id: what its own spans say of it; empty for none. */
  readonly call: string;
  readonly reason: string;
}

export interface Erasure {
  /** Those that were there, and are no more. */
  readonly erased: readonly string[];
}
