// GET /v1/audit/status: how far the log is, for people and for what asks on their behalf.

export interface AuditStatus {
  /** Its origin, the first line of its checkpoints. */
  readonly log: string;
  /** Under the newest checkpoint. */
  readonly leaves: number;
  /** The lowest index whose entry is kept. */
  readonly minimum_index: number;
  /** ISO 8601, of the newest checkpoint. */
  readonly signed_at: string;
  /** Requests accepted that are under no checkpoint yet, and for how long the oldest has waited. */
  readonly waiting: number;
  readonly behind_ms: number;
  readonly anchors: readonly {
    readonly name: string;
    /** Under the last checkpoint that is there. */
    readonly leaves: number;
    /** For how long every try has failed, and why the last one did. */
    readonly failing_ms: number;
    readonly reason: string;
  }[];
}
