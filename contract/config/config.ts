// What outrider.yaml means once parsed: every default filled in, every unit resolved, frozen. `parse.ts` makes it,
// everything else reads it. Durations are milliseconds, sizes bytes, money nanodollars.

import type { DialectName, Mode } from '../attributes.ts';
import { compileName } from '../rules/glob.ts';
import type { Rule } from '../rules.ts';

export interface Config {
  readonly fleet: string;
  readonly mode: Mode;
  readonly budgets: readonly Budget[];
  /** False only where `budgets: none` was written. */
  readonly budgetsWarned: boolean;
  readonly prohibited: readonly Rule[];
  readonly departments: ReadonlyMap<string, { readonly budgets: readonly Budget[] }>;
  readonly owners: ReadonlyMap<string, Readonly<Partial<Record<ChannelKind, SecretReference>>>>;
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly credentials: ReadonlyMap<string, Credential>;
  readonly roles: ReadonlyMap<string, Role>;
  /** In file order: without --agent, `up` takes the first. Keys may hold `*` (names created at run time). */
  readonly agents: ReadonlyMap<string, Agent>;
  readonly breakers: Breakers;
  readonly quarantine: QuarantineRules;
  readonly money: MoneyRules;
  /** Null: a failed call is never tried again, and fails over only where a role says so. */
  readonly retries: RetryRules | null;
  readonly timeouts: Timeouts;
  readonly limits: { readonly bodyBytesMax: number; readonly bodyBytesInFlightMax: number };
  readonly journal: { readonly durability: 'batched' | 'strict'; readonly sizeBytesMax: number };
  readonly drainMs: number;
  readonly prices: readonly PriceOverride[];
  readonly alerts: AlertChannels;
  readonly export: readonly ExportTarget[];
  readonly retention: {
    readonly tracesDays: number;
    readonly auditDays: number;
    readonly bodiesDays: number;
  };
  readonly audit: AuditRules;
  readonly captureBodies: CaptureBodies;
  readonly listen: Listen;
  readonly otlp: OtlpRules;
  readonly store: {
    readonly clickhouse: string;
    /** As the ClickHouse server's configuration names it; null for one server. */
    readonly cluster: string | null;
    readonly messages: MessagesKept;
    readonly postgres: string;
  };
  readonly collector: string;
  readonly timezone: string;
  /** SHA-256, hex, of the policy: what every decision names. */
  readonly digest: string;
  /** The text the digest names, as read, files in order. */
  readonly sources: readonly ConfigSource[];
}

export interface ConfigSource {
  readonly file: string;
  readonly text: string;
}

export const BUDGET_WINDOWS = ['hour', 'day', 'week', 'month', 'task'] as const;
export type BudgetWindow = (typeof BUDGET_WINDOWS)[number];

/** `$200/month` → nanodollars; `5M tokens/day` → tokens. `task_budgets` have the window `task`. */
export interface Budget {
  readonly unit: 'nanodollars' | 'tokens';
  readonly limit: bigint;
  readonly window: BudgetWindow;
}

/** `requests: 60/minute` → 60 in 60,000 ms. Each sidecar counts for itself, exactly, in a sliding window. */
export interface RateLimit {
  readonly unit: 'requests' | 'tokens';
  readonly count: number;
  readonly windowMs: number;
}

export interface Upstream {
  readonly name: string;
  /** Canonical, without trailing slash, query or fragment. */
  readonly url: string;
  readonly speaks: DialectName;
  /** The credential's name; `agent` forwards what the agent sent; null sends none. */
  readonly credential: string | null;
  readonly pricedAs: string | null;
  readonly timeouts: Timeouts;
  /** Of all agents' calls of it together. */
  readonly rates: readonly RateLimit[];
  /** False for what is reached by a pattern of a rule alone: then only public addresses are dialled. */
  readonly declared: boolean;
}

export interface Timeouts {
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly idleMs: number;
  readonly totalMs: number;
}

export interface SecretReference {
  readonly from: 'env' | 'file' | 'exec' | 'vault';
  /** Variable name, path, command line, or vault path. */
  readonly locator: string;
}

export const CHANNELS = ['pagerduty', 'slack', 'webhook'] as const;
export type ChannelKind = (typeof CHANNELS)[number];

/** Where alerts go; the secret is a routing key, or the URL of a webhook. */
export interface Channel {
  readonly kind: ChannelKind;
  readonly secret: SecretReference;
}

/** Null: nobody is told, and the alert is only listed. */
export interface AlertChannels {
  readonly critical: Channel | null;
  readonly warning: Channel | null;
  readonly digest: Channel | null;
}

export interface Credential {
  readonly name: string;
  readonly secret: SecretReference;
  /** Header it goes into; null puts it where the upstream's dialect wants it. */
  readonly header: string | null;
}

export interface Role {
  readonly name: string;
  readonly mode: Mode | null;
  readonly allow: readonly Rule[];
  readonly notify: readonly Rule[];
  readonly ask: readonly Rule[];
  readonly deny: readonly Rule[];
  readonly limits: {
    readonly maxOutputTokens: number | null;
    /** Each of its agents' own. */
    readonly rates: readonly RateLimit[];
  };
  readonly fallback: readonly string[];
  readonly captureBodies: CaptureBodies | null;
}

export interface Agent {
  /** As written; may hold `*`. */
  readonly pattern: string;
  /** Names of roles; an agent with several has the rules of all. */
  readonly roles: readonly string[];
  readonly mode: Mode | null;
  readonly department: string | null;
  readonly owner: string | null;
  readonly version: string | null;
  readonly budgets: readonly Budget[];
  readonly taskBudgets: readonly Budget[];
  /** Beside those of its roles. */
  readonly rates: readonly RateLimit[];
  readonly expectedTaskMs: number | null;
  /** The agent's own key towards the sidecar. */
  readonly key: SecretReference | null;
  /** Upstream name → credential name: a key of its own. */
  readonly credentials: ReadonlyMap<string, string>;
}

export interface Breakers {
  readonly windowMs: number;
  readonly failureRate: number;
  readonly callsMin: number;
  readonly cooldownMs: number;
  readonly cooldownMsMax: number;
  readonly trials: number;
  /** A stream whose first token comes later is slow, and as much of them opens a circuit; null: none is. */
  readonly slow: { readonly firstTokenMs: number; readonly rate: number } | null;
}

/** When an agent degrades, and what follows. Null: not looked for. */
export interface QuarantineRules {
  readonly action: 'flag' | 'quarantine';
  readonly forMs: number;
  readonly windowMs: number;
  /** Of at least `callsMin` calls, where others' calls do not fail. */
  readonly failureRate: number | null;
  readonly callsMin: number;
  /** The same body to the same target, or the same arguments for the same tool. */
  readonly sameCalls: number | null;
  readonly tokensPerMinute: number | null;
  /** Times the agent's own normal. */
  readonly tokensTimes: number | null;
}

export interface MoneyRules {
  readonly gracePercent: number;
  readonly holdWaitMs: number;
  readonly offlineNanodollars: bigint;
  readonly unknownPrice: 'refuse' | 'pass';
  readonly leaseMs: number;
}

export interface RetryRules {
  /** The longest a call is held back before it is tried again. */
  readonly waitMs: number;
}

/** `openai/our-finetune: {…}`; `target` may end in `*`. Per-token rates in picodollars (10⁻¹² $) = $ per million × 10⁶. */
export interface PriceOverride {
  readonly target: string;
  readonly free: boolean;
  readonly inputPicodollars: bigint | null;
  readonly cachedInputPicodollars: bigint | null;
  readonly cacheWritePicodollars: bigint | null;
  readonly outputPicodollars: bigint | null;
  readonly callNanodollars: bigint | null;
  readonly maxOutput: number | null;
  readonly contextWindow: number | null;
}

/** Of the collector's log. */
export interface AuditRules {
  /** Path of a PKCS #8 file of the operator's own; null: the collector makes one. */
  readonly key: string | null;
  readonly anchors: readonly AuditAnchor[];
}

/** Where checkpoints are told, at most so often. */
export type AuditAnchor = { readonly everyMs: number } & (
  | { readonly kind: 'directory'; readonly directory: string }
  /** Program and arguments; no shell. */
  | { readonly kind: 'command'; readonly command: readonly string[] }
);

/** Another OTLP/HTTP backend, which gets copies of the sidecars' spans. */
export interface ExportTarget {
  /** As written, with its path: `https://otel.example/v1/traces`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, SecretReference>>;
  readonly bodies: CaptureBodies;
}

/** Each message once by its hash, or whole in each span that says it. */
export const MESSAGES_KEPT = ['by_content', 'inline'] as const;
export type MessagesKept = (typeof MESSAGES_KEPT)[number];

export const CAPTURES = ['none', 'hash', 'redacted', 'full'] as const;
export type CaptureBodies = (typeof CAPTURES)[number];

export interface OtlpRules {
  /** Origins whose pages may send from a browser, e.g. `https://app.example`. */
  readonly allowedOrigins: readonly string[];
  /** `required`: who shows no token is refused; `optional`: what such a one sends is context. */
  readonly tokens: 'optional' | 'required';
}

/** `host:port`; port 0 picks a free one. */
export interface Listen {
  readonly proxy: string;
  readonly admin: string;
  readonly otlp: string;
  readonly otlpGrpc: string;
  readonly control: string;
  readonly sql: string;
  /** A listener beyond loopback without TLS and tokens was asked for by name. */
  readonly insecure: boolean;
}

const AGENT_ID = /^[a-z0-9._-]{1,64}$/;

/** The entry that rules an agent: the exact name, else the longest matching pattern, else undefined. */
export function agentNamed(config: Config, name: string): Agent | undefined {
  if (!AGENT_ID.test(name)) return undefined;
  const exact = config.agents.get(name);
  if (exact && !exact.pattern.includes('*')) return exact;
  let best: Agent | undefined;
  for (const agent of config.agents.values()) {
    if (agent.pattern.includes('*') && compileName(agent.pattern)(name)) {
      if (!best || agent.pattern.length > best.pattern.length) best = agent;
    }
  }
  return best;
}

/** What is kept of an agent's bodies: the least that any of its roles says, else what the fleet does. */
export function captureOf(config: Config, agent: Agent): CaptureBodies {
  const captures = agent.roles
    .map((role) => config.roles.get(role)?.captureBodies)
    .filter((capture) => capture != null);
  return CAPTURES.find((capture) => captures.includes(capture)) ?? config.captureBodies;
}

/** The mode in force for an agent: its own, else that of its roles (enforce wins), else the fleet's. */
export function modeOf(config: Config, agent: Agent): Mode {
  if (agent.mode) return agent.mode;
  const modes = agent.roles.map((role) => config.roles.get(role)?.mode).filter((mode) => mode != null);
  if (modes.length === 0) return config.mode;
  return modes.includes('enforce') ? 'enforce' : 'observe';
}
