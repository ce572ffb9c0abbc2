// What the collector's alerts, its control database and whoever asks the control API call an alert: an incident is one
// thing that is or was wrong, a silence says who will not hear of it, a send is what one channel is told.

export const SEVERITIES = ['critical', 'warning', 'info'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** One incident's life, times in milliseconds since 1970: found, firing once it was so for long enough, resolved. */
export interface Incident {
  /** Null before it was first kept. */
  readonly id: string | null;
  readonly alert: string;
  /** Of one alert and key there is one unresolved incident at a time. */
  readonly key: string;
  readonly severity: Severity;
  /** Empty where it concerns no single agent, task or owner. */
  readonly agent: string;
  readonly task: string;
  readonly owner: string;
  readonly summary: string;
  readonly value: number;
  /** What else the query said, as text. */
  readonly details: Readonly<Record<string, string>>;
  /** First and last time it was found. */
  readonly sinceMs: number;
  readonly seenMs: number;
  readonly firedMs: number | null;
  /** When the channels were last told; null when nobody was. */
  readonly toldMs: number | null;
  readonly resolvedMs: number | null;
  /** Empty when nobody has. */
  readonly acknowledgedBy: string;
}

export const MATCHABLE = ['alert', 'key', 'agent', 'task', 'owner', 'severity'] as const;
export type Matchers = Readonly<Partial<Record<(typeof MATCHABLE)[number], string>>>;

export const SILENCE_MS_MAX = 30 * 86_400_000;

export interface Silence {
  readonly id: string;
  /** All must match; `*` at the end of a text stands for anything. Never empty. */
  readonly matchers: Matchers;
  readonly endsMs: number;
  readonly reason: string;
  readonly by: string;
}

export const PAGE_ACTIONS = ['trigger', 'acknowledge', 'resolve', 'digest', 'test'] as const;
export type PageAction = (typeof PAGE_ACTIONS)[number];

/** What a channel is told; a webhook gets exactly this. */
export interface Page {
  readonly action: PageAction;
  /** The same for every page of one incident: whoever gets two of them sees one. At most 255 characters. */
  readonly dedup_key: string;
  readonly fleet: string;
  readonly alert: string;
  readonly severity: Severity;
  readonly key: string;
  readonly agent: string;
  readonly task: string;
  readonly owner: string;
  readonly rule: string;
  readonly spend: string;
  readonly question: string;
  readonly summary: string;
  /** In its unit, as people read it. */
  readonly value: string;
  readonly details: Readonly<Record<string, string>>;
  readonly link: string;
  /** The next command to type. */
  readonly next: string;
  /** ISO 8601. */
  readonly fired_at: string;
}

/** To be told to one channel of the config, by its name; the secret is looked up when it is used. */
export interface Told {
  readonly channel: string;
  readonly page: Page;
}

/** One line of the outbox. */
export interface Send extends Told {
  readonly id: string;
  readonly enqueuedMs: number;
  readonly attempts: number;
  readonly state: 'waiting' | 'delivered' | 'failed';
  /** What the channel said last. */
  readonly answer: string;
}

/** GET /v1/alerts. */
export interface AlertList {
  readonly definitions: readonly {
    readonly id: string;
    readonly severity: Severity;
    readonly question: string;
    /** Why it could not be evaluated in the last round; empty when it could. */
    readonly failing: string;
  }[];
  readonly active: readonly AlertLine[];
  readonly history: readonly (AlertLine & { readonly resolved_at: string })[];
  readonly silences: readonly {
    readonly id: string;
    readonly matchers: Matchers;
    readonly until: string;
    readonly reason: string;
    readonly by: string;
  }[];
  /** What channels have not taken: waiting for another try, or given up within the last day. */
  readonly undelivered: readonly {
    readonly channel: string;
    readonly alert: string;
    readonly key: string;
    readonly attempts: number;
    readonly state: string;
    readonly answer: string;
  }[];
}

export interface AlertLine {
  readonly alert: string;
  readonly severity: Severity;
  readonly key: string;
  readonly agent: string;
  readonly task: string;
  readonly owner: string;
  readonly summary: string;
  readonly value: number;
  readonly fired_at: string;
  /** Null when nobody has. */
  readonly acknowledged_by: string | null;
  readonly silenced_until: string | null;
}
