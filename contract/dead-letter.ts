// Dead letters: calls that failed for good, or of which nobody knows whether they happened. The sidecar says in the
// call's own record that it is one, so a letter is lost only where a record is; the collector keeps it until the call
// came through after all, or somebody replays or discards it.
//
//   open ──replay──▶ queued ──a sidecar takes it──▶ replaying ──it came through──▶ replayed
//    ▲ ▲                └── nobody came ──┐             │ it failed, or its sidecar died
//    │ └─────────────────────────────────┴─────────────┘
//    ├── the same call came through ──▶ recovered
//    └── discard ─────────────────────▶ discarded

/**
 * `failed`: it did not happen, or may be repeated without harm. `outcome_unknown`: it may have happened, and repeating it
 * may do it twice. `invalid_input`: the upstream could not take what was sent.
 */
export const DEAD_LETTER_KINDS = ['failed', 'outcome_unknown', 'invalid_input'] as const;
export type DeadLetterKind = (typeof DEAD_LETTER_KINDS)[number];

/** What a record can say of itself; `recovered`: the same call, which failed before, came through. */
export type DeadLetterMark = DeadLetterKind | 'recovered';

export const DEAD_LETTER_STATES = [
  'open',
  'queued',
  'replaying',
  'replayed',
  'recovered',
  'discarded',
] as const;
export type DeadLetterState = (typeof DEAD_LETTER_STATES)[number];

/** Why there is no request to replay. */
export const NOT_KEPT = {
  capture: 'its body was not kept: set `capture: { bodies: full }` on the role or the fleet',
  redacted:
    'its body was kept redacted, and is another one: set `capture: { bodies: full }` to replay such calls',
  too_large: 'its body is too large to be kept',
  no_room: 'the sidecar had no room left for bodies that wait for the collector',
  own_credential: 'it went with a credential of the agent’s own, which is never kept',
  crash: 'its sidecar died before it could keep the body',
  erased: 'its body was erased',
} as const;
export type NotKept = keyof typeof NOT_KEPT;

/** A request with its head, and what of an answer is kept. */
export const KEPT_REQUEST_BYTES_MAX = 1024 * 1024;
export const KEPT_ANSWER_BYTES_MAX = 64 * 1024;
export const ERROR_MESSAGE_CHARACTERS_MAX = 300;

/** More open letters of one agent fold into the oldest of their kind. */
export const OPEN_LETTERS_PER_AGENT_MAX = 500;
/** A replay that no sidecar has taken by then is off. */
export const REPLAY_QUEUED_MS = 3_600_000;
/** A sidecar that replays says so more often than this, or is taken for dead. */
export const REPLAY_LEASE_MS = 60_000;
export const REPLAY_RENEWED_EVERY_MS = 15_000;

/** GET /v1/dead-letters: the newest first. */
export interface DeadLetterLine {
  /** The id of the first call. */
  readonly id: string;
  readonly agent: string;
  readonly task: string;
  readonly upstream: string;
  readonly target: string;
  readonly kind: DeadLetterKind;
  readonly state: DeadLetterState;
  readonly since: string;
  readonly last_seen: string;
  /** How often this call failed so. */
  readonly calls: number;
  /** Other calls like it that came when the agent had too many open letters. */
  readonly folded: number;
  readonly error_type: string;
  readonly http_status: number;
  /** The upstream's own words, shortened; may be empty. */
  readonly message: string;
  readonly replayable: boolean;
}

/** What came of a replay. */
export interface ReplayResult {
  readonly at: string;
  readonly call_id: string;
  readonly status: string;
  readonly http_status: number;
  readonly refusal: string;
  readonly error_type: string;
  /** Why it came to nothing, where no call tells. */
  readonly why: string;
  readonly answer: string | null;
}

/** GET /v1/dead-letters/{id}: all that is known, and what its task has done so far. */
export interface DeadLetter extends DeadLetterLine {
  readonly instance: string;
  readonly owner: string;
  readonly department: string;
  readonly method: string;
  readonly path: string;
  readonly operation: string;
  readonly model: string;
  readonly refusal: string;
  readonly upstream_status: number;
  readonly trace_id: string;
  readonly span_id: string;
  /** SHA-256 of the body as it was sent; empty where none was kept or there was none. */
  readonly body_digest: string;
  /** Null where none is kept; then `not_kept` says why. */
  readonly request: KeptRequestText | null;
  readonly not_kept: string;
  readonly answer: string | null;
  /** The failed calls, oldest first; the last of many. */
  readonly attempts: readonly FailedCall[];
  /** How often somebody had it replayed. */
  readonly replays: number;
  readonly replay_asked_by: string;
  readonly result: ReplayResult | null;
  readonly closed_at: string | null;
  readonly closed_by: string;
  readonly reason: string;
  /** What exists of the task: its calls that came through, oldest first; the last of many. */
  readonly task_so_far: readonly TaskCall[];
}

export interface FailedCall {
  readonly call_id: string;
  readonly at: string;
  readonly kind: DeadLetterKind;
  readonly error_type: string;
  readonly http_status: number;
  readonly trace_id: string;
  readonly span_id: string;
}

export interface TaskCall {
  readonly call_id: string;
  readonly at: string;
  readonly target: string;
  readonly action: string;
  readonly cost_usd: string | null;
}

export interface KeptRequestText {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** As text; null where it is none. */
  readonly body: string | null;
}

/** POST /v1/dead-letters/{id}/replay. */
export interface ReplayOrder {
  /** The caller knows that the call may have happened, and wants it all the same. */
  readonly even_if_it_may_have_happened: boolean;
}

/** Its answer. */
export interface ReplayQueued {
  readonly id: string;
  /** Until when a sidecar of the agent may take it. */
  readonly until: string;
  /** Sidecars of the agent that live now. */
  readonly live: number;
}

/** POST /v1/dead-letters/claims: a sidecar asks for one that is queued for its agent. */
export interface ReplayClaim {
  readonly agent: string;
  readonly instance: string;
}

/** Its answer: what to replay; it is this instance's alone while it goes on saying that it runs. */
export interface ClaimedReplay {
  readonly letter: string;
  /** Grows with each replay of the letter; what is said under an older one is not heard. */
  readonly attempt: number;
  readonly agent: string;
  readonly task: string;
  readonly trace_id: string;
  readonly span_id: string;
  /** SHA-256 of the kept request: GET /v1/bodies/{sha256}. */
  readonly request: string;
}

/** POST /v1/dead-letters/{id}/replays/{attempt}: it still runs (`result` null), or what came of it. */
export interface ReplayReport {
  readonly instance: string;
  readonly result: Omit<ReplayResult, 'at' | 'answer'> | null;
  /** SHA-256 of the kept answer; empty where none is kept. */
  readonly answer: string;
}

/** GET /v1/events (SSE), event `replay`: something is queued for this agent. */
export interface ReplayNotice {
  readonly agent: string;
}
