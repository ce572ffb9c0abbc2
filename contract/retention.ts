// How long what is kept, what a legal hold keeps beyond that, and what is told when rows go.

/** Each key of `retention` in outrider.yaml. */
export const RETENTION_CLASSES = ['traces', 'bodies', 'audit'] as const;
export type RetentionClass = (typeof RETENTION_CLASSES)[number];

/** POST /v1/store/holds. Nothing that it covers is dropped from the answer on. */
export interface LegalHoldOrder {
  /** Empty: the whole fleet. */
  readonly agent: string;
  /** ISO 8601; null: from the first day that is kept, until it is ended. The end is not in it. */
  readonly from: string | null;
  readonly until: string | null;
  readonly reason: string;
}

export interface LegalHold extends LegalHoldOrder {
  readonly id: string;
  readonly set_at: string;
  readonly actor: string;
  /** Null while it is in force. */
  readonly ended_at: string | null;
  readonly ended_by: string;
  readonly end_reason: string;
}

/** GET /v1/store/retention: what is past its time now, and why it is still there. */
export interface RetentionState {
  readonly days: Readonly<Record<RetentionClass, number>>;
  /** When old rows were looked for last; null: never. */
  readonly last_run: string | null;
  /** False: the clock stands so far after the last run that nothing is dropped by it. */
  readonly clock_believed: boolean;
  readonly overdue: readonly OverduePartition[];
}

export interface OverduePartition {
  readonly class: RetentionClass;
  readonly table: string;
  /** As ClickHouse names it: `20261121` a day, `202611` a month. */
  readonly partition: string;
  readonly rows: number;
  /** On disk, compressed. */
  readonly bytes: number;
  /** Ids of the legal holds that keep it. */
  readonly held_by: readonly string[];
}

/**
 * What a control event `retention_run` says, before the rows go: an auditor tells by it what was dropped in its time from
 * what somebody took away.
 */
export interface RetentionRun {
  readonly dropped: readonly Omit<OverduePartition, 'held_by'>[];
  /** Of every chain of records that loses some. */
  readonly streams: readonly DroppedRecords[];
}

export interface DroppedRecords {
  readonly stream: string;
  /** Sequence numbers, first and last of each row of them without a gap; in order. */
  readonly dropped: readonly (readonly [first: string, last: string])[];
  /** The lowest that is left; null: none. */
  readonly kept_from: string | null;
}
