// What the collector answers to people who look: the fleet, an agent, calls, a trace. Money is whole nanodollars as
// decimal strings, durations milliseconds unless named otherwise, times ISO 8601 in UTC; null is unknown, never zero.

/** How far back an answer may look, seconds, and how wide one step of its series is. */
export const RANGES = {
  '15m': { seconds: 900, stepSeconds: 60 },
  '1h': { seconds: 3_600, stepSeconds: 60 },
  '6h': { seconds: 21_600, stepSeconds: 300 },
  '24h': { seconds: 86_400, stepSeconds: 1_200 },
  '7d': { seconds: 604_800, stepSeconds: 10_800 },
  '30d': { seconds: 2_592_000, stepSeconds: 43_200 },
} as const;
export type Range = keyof typeof RANGES;

/** Sums over calls. */
export interface Sums {
  readonly calls: number;
  /** Failures and timeouts. */
  readonly failed: number;
  readonly refused: number;
  readonly escalated: number;
  /** Calls that passed because the agent is only observed, and would have been refused. */
  readonly would_refuse: number;
  readonly tokens_in: number;
  readonly tokens_out: number;
  readonly tokens_cached: number;
  readonly cost_nanodollars: string;
  /** Calls whose cost nobody knows. */
  readonly unpriced: number;
}

/** Of whoever did nothing. */
export const NO_SUMS: Sums = {
  calls: 0,
  failed: 0,
  refused: 0,
  escalated: 0,
  would_refuse: 0,
  tokens_in: 0,
  tokens_out: 0,
  tokens_cached: 0,
  cost_nanodollars: '0',
  unpriced: 0,
};

/** One step of a series; steps without calls are there too. */
export interface Step extends Sums {
  readonly time: string;
}

/** GET /v1/fleet?range= */
export interface FleetAnswer {
  readonly fleet: string;
  readonly range: Range;
  readonly sums: Sums;
  readonly series: readonly Step[];
  readonly agents: readonly AgentSums[];
  readonly refusals: readonly RefusalLine[];
  /** Acts that wait for a person, newest first. */
  readonly waiting: readonly WaitingLine[];
}

export interface AgentSums extends Sums {
  readonly agent: string;
  readonly department: string;
  readonly owner: string;
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
  /** Null when it was more than a day ago. */
  readonly last_call: string | null;
}

export interface RefusalLine {
  readonly refusal: string;
  readonly agent: string;
  readonly calls: number;
  readonly last: string;
}

export interface WaitingLine {
  readonly agent: string;
  readonly owner: string;
  readonly target: string;
  readonly rule: string;
  readonly calls: number;
  readonly last: string;
  readonly trace_id: string;
  readonly span_id: string;
}

/** GET /v1/agents/{name}?range= */
export interface AgentAnswer {
  readonly agent: string;
  readonly range: Range;
  /** The entry of outrider.yaml that rules it; null when it is not in force any more. */
  readonly entry: AgentEntry | null;
  readonly sums: Sums;
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
  readonly series: readonly Step[];
  readonly models: readonly PartSums[];
  readonly upstreams: readonly PartSums[];
  readonly refusals: readonly RefusalLine[];
  readonly tasks: readonly TaskLine[];
}

export interface AgentEntry {
  readonly pattern: string;
  readonly roles: readonly string[];
  readonly department: string | null;
  readonly owner: string | null;
  readonly version: string | null;
  readonly mode: string;
  readonly expected_task_ms: number | null;
}

/** Sums of one model or upstream. */
export interface PartSums extends Sums {
  readonly name: string;
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
}

export interface TaskLine {
  readonly task: string;
  /** `open`, `done` or `failed`. */
  readonly state: string;
  readonly first_call: string;
  readonly last_call: string;
  readonly calls: number;
  readonly failed: number;
  readonly refused: number;
  readonly escalated: number;
  readonly tokens_in: number;
  readonly tokens_out: number;
  readonly cost_nanodollars: string;
}

/** One row of `actions`. */
export interface CallLine {
  readonly time: string;
  readonly call_id: string;
  readonly trace_id: string;
  readonly span_id: string;
  readonly parent_trace_id: string;
  readonly agent: string;
  readonly instance: string;
  readonly task: string;
  readonly caller: string;
  readonly grantor: string;
  readonly action: string;
  readonly target: string;
  readonly upstream: string;
  readonly model: string;
  readonly mode: string;
  readonly verdict: string;
  readonly would_verdict: string;
  readonly rule: string;
  readonly refusal: string;
  readonly credential: string;
  readonly ticket: string;
  readonly status: string;
  readonly http_status: number;
  readonly duration_ms: number;
  readonly tokens_in: number | null;
  readonly tokens_out: number | null;
  readonly tokens_cached: number | null;
  readonly cost_nanodollars: string | null;
  readonly usage_source: string;
  readonly policy_digest: string;
}

/** GET /v1/calls: newest first. `next` asks for the page after this one; null on the last. */
export interface CallsAnswer {
  readonly calls: readonly CallLine[];
  readonly next: string | null;
}

/** GET /v1/live (SSE), event `calls`: what ended since the last one, oldest first. */
export interface LiveCalls {
  readonly calls: readonly CallLine[];
  /** There were more than one event holds; the list shows them when asked again. */
  readonly more: boolean;
}

/** GET /v1/traces/{id} */
export interface TraceAnswer {
  readonly trace_id: string;
  readonly started: string;
  readonly duration_ns: number;
  /** In order of their start. */
  readonly spans: readonly SpanLine[];
  /** There were more spans than one answer holds. */
  readonly cut: boolean;
  readonly calls: readonly CallLine[];
  readonly children: readonly ChildTrace[];
}

export interface SpanLine {
  readonly span_id: string;
  readonly parent_span_id: string;
  readonly name: string;
  readonly kind: string;
  readonly service: string;
  readonly scope: string;
  /** Since the trace's start. */
  readonly offset_ns: number;
  readonly duration_ns: number;
  readonly status: string;
  readonly message: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly events: readonly SpanEvent[];
}

export interface SpanEvent {
  readonly name: string;
  readonly offset_ns: number;
  readonly attributes: Readonly<Record<string, string>>;
}

/** A trace that was begun from this one. */
export interface ChildTrace {
  readonly trace_id: string;
  readonly agent: string;
  readonly started: string;
  readonly calls: number;
}
