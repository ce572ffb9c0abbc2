// What sidecar and ledger say to each other about money. Between them are leases: slices of the budgets on a path,
// with an epoch and an expiry, so that a call costs no round trip and a partition can spend only the slice.
//
//   ledger account:  posted ──────────┤ slices outstanding ──────┤ left ────┤ limit
//   sidecar lease:   posted ──┤ held ──┤ unspent ──┤ granted                       (posted + held ≤ granted, always)
//
// All amounts are cumulative over the life of the lease, so every message may be repeated without harm.

import type { ModeInForce } from './mode.ts';
import type { AmountsMessage } from './money.ts';

/**
 * Which accounts a slice is drawn from, all at once or not at all.
 * `agent`: fleet, department and agent budgets. `offline`: the same accounts, but at most `money.offline`, and it lives
 * 24 h. `task`: the task budgets of (agent, task) alone, lives 24 h; a call needs room in its agent lease and its task's.
 */
export const LEASE_SCOPES = ['agent', 'offline', 'task'] as const;
export type LeaseScope = (typeof LEASE_SCOPES)[number];

export const LEVELS = ['fleet', 'department', 'agent', 'task'] as const;
export type Level = (typeof LEVELS)[number];

/** One lease asked for, renewed, reported on or given back. */
export interface LeaseAsk {
  readonly scope: LeaseScope;
  /** Set when `scope` is `task`. */
  readonly task?: string;
  /** The lease the sidecar holds; null when it holds none for this scope. */
  readonly lease: string | null;
  /** With `lease: null`: drawn at random once per lease wanted and sent again until answered, so that a lost answer opens no second lease. */
  readonly nonce?: string;
  /** Grows by one with each ask of a lease; an ask with an old number changes nothing. */
  readonly seq: number;
  /** What the sidecar knows it was granted in all: more at the ledger was never received and is taken back. */
  readonly granted: AmountsMessage;
  /** What the sidecar has posted against the lease in all; never shrinks. */
  readonly posted: AmountsMessage;
  /** In flight now. */
  readonly held: AmountsMessage;
  /** Room wanted beyond granted, for every call that waits. Zero: only report, renew or release. */
  readonly want: AmountsMessage;
  /** The least extra room that is of any use: what the first waiting call lacks. At most `want`. */
  readonly need: AmountsMessage;
  /** Give back what is neither posted nor held. */
  readonly release?: boolean;
  /** With `release`: nothing is held and the lease ends. */
  readonly close?: boolean;
}

/** POST /v1/leases, with a join token. */
export interface LeaseRequest {
  readonly agent: string;
  readonly instance: string;
  readonly asks: readonly LeaseAsk[];
}

/** The budget that stands in the way; amounts in `unit` as decimal strings. */
export interface Obstacle {
  readonly level: Level;
  readonly name: string;
  readonly window: string;
  /** `tasks`: the limit on an agent's open tasks. */
  readonly unit: 'nanodollars' | 'tokens' | 'tasks';
  readonly limit: string;
  readonly posted: string;
  /** Slices outstanding at every sidecar, this one's included. */
  readonly held: string;
  readonly needed: string;
  readonly resetsAt: string | null;
  /** `grace`: what is left is kept for tasks that have begun. */
  readonly reason?: 'grace';
}

export interface LeaseAnswer {
  readonly scope: LeaseScope;
  readonly task?: string;
  /**
   * `granted`: there is room for `need`. `over_budget`: money already posted stands in the way, final until the window
   * resets. `held`: only slices outstanding stand in the way; they have been called back, ask again shortly.
   * `stale`: the seq was old or the lease is not this instance's; forget it and ask with `lease: null`.
   */
  readonly outcome: 'granted' | 'over_budget' | 'held' | 'stale';
  readonly lease: string | null;
  readonly epoch: number;
  /** Cumulative; null in a unit that no budget on the path limits. Null altogether: no budget on the path. */
  readonly granted: { readonly nanodollars: string | null; readonly tokens: string | null };
  /** Milliseconds from the moment the ask was sent until no new hold may be taken; the end of the window at most. */
  readonly ttlMs: number;
  readonly obstacle?: Obstacle;
  /** What the lease would have unspent if it were opened now; null in a unit that no budget limits. */
  readonly share?: { readonly nanodollars: string | null; readonly tokens: string | null };
  /** The accounts of the lease, after this ask. */
  readonly levels?: readonly BudgetLevel[];
}

/** Answers stand in the order of the asks. */
export interface LeaseResponse {
  readonly answers: readonly LeaseAnswer[];
}

/** One account on the path of a lease. Amounts as in BudgetLine. */
export type BudgetLevel = Omit<BudgetLine, 'raised' | 'starts_at' | 'projected_by_last_hour'>;

/** GET /v1/budgets: one line per account. Amounts in nanodollars, or tokens where `unit` says so, as strings. */
export interface BudgetLine {
  readonly level: Level;
  readonly name: string;
  readonly window: string;
  readonly unit: 'nanodollars' | 'tokens';
  /** In force: what the configuration says and what raises add. */
  readonly limit: string;
  /** The part of it that raises add. */
  readonly raised: string;
  readonly posted: string;
  readonly held: string;
  /** When its window began; null of a task's, which has none. */
  readonly starts_at: string | null;
  readonly resets_at: string | null;
  /** Posted at the window's end, if it goes on as in this window so far; null while too little is known. */
  readonly projected: string | null;
  /** Likewise, if it goes on as in about the last hour. */
  readonly projected_by_last_hour: string | null;
  /** When all of it is posted at the faster of the two; null if not in this window. */
  readonly used_up_at: string | null;
}

/** `away`: not heard of for AWAY_AFTER_MS. */
export const AGENT_HEALTHS = ['ok', 'degraded', 'away'] as const;
export type AgentHealth = (typeof AGENT_HEALTHS)[number];

/** GET /v1/agents. */
export interface AgentLine {
  readonly name: string;
  readonly instance: string;
  readonly mode: string;
  readonly last_seen: string;
  readonly health: AgentHealth;
  /** The digest of the policy it runs under; empty until its first heartbeat. */
  readonly policy: string;
}

/** POST /v1/agents, every HEARTBEAT_MS: this instance lives. */
export interface Heartbeat {
  readonly name: string;
  readonly instance: string;
  readonly mode: string;
  readonly health: 'ok' | 'degraded';
  readonly policy: string;
  /** What of this agent waits for money here; left out where nothing does. */
  readonly waiting?: readonly WaitingTask[];
  /** The stream its records are sealed in; not said by an older release. */
  readonly stream?: string;
  /** Why this stream began, until the collector has heard it. */
  readonly began?: ChainBegan;
}

/** A stream was left because frames of the journal were lost. What it held behind `seq` others may know. */
export interface ChainBegan {
  /** The stream that was left; empty where nobody can say. */
  readonly after: string;
  /** How many links of it are known. */
  readonly seq: number;
  /** Bytes that could not be read. */
  readonly damagedBytes: number;
}

/** `held`: calls stand in line for a hold. `spent`, `grace`: the task was refused for good. */
export const WAITING_WHYS = ['held', 'spent', 'grace'] as const;

/** A task that waits for money. */
export interface WaitingTask {
  readonly task: string;
  readonly why: (typeof WAITING_WHYS)[number];
  /** That stand in line, or were refused since. */
  readonly calls: number;
  /** The budget in the way; null while the ledger has not said. */
  readonly level: Level | null;
  readonly name: string;
  readonly window: string;
  readonly since: string;
  /** When the budget's window resets; null where no window does. */
  readonly until: string | null;
}

/** GET /v1/budgets/waiting: as the sidecars last said. */
export interface WaitingLine extends WaitingTask {
  readonly agent: string;
  readonly instance: string;
}

/**
 * Its answer: where this collector takes OTLP, on the host where the control API was found, the agent's mode, the
 * revisions of the pinned tools and of what is in quarantine, and what there is to replay.
 */
export interface HeartbeatAnswer {
  readonly otlp_port: number;
  readonly mode: ModeInForce;
  readonly tools: number;
  readonly quarantine: number;
  /** Dead letters that wait for a sidecar of this agent to replay them. */
  readonly replays: number;
  /** Somebody else seals records in the stream that was named: begin another. */
  readonly leave_stream: boolean;
}

/** POST /v1/tasks/{id} at the sidecar's admin port and at the collector. */
export interface TaskEnd {
  readonly agent: string;
  readonly state: 'done' | 'failed';
  readonly output_units?: number;
}

/** GET /v1/events (SSE), event `recall`: another sidecar needs what this one has not spent; release it. */
export interface Recall {
  readonly agent: string;
  readonly instance: string;
  readonly lease: string;
}

export const HEARTBEAT_MS = 10_000;
/** An instance not heard of for so long is not counted as live. */
export const AWAY_AFTER_MS = 30_000;
export const OFFLINE_LEASE_MS = 24 * 3_600_000;
export const TASK_LEASE_MS = 24 * 3_600_000;
export const OPEN_TASKS_PER_AGENT_MAX = 10_000;
