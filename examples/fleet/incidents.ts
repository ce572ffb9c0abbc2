// What goes wrong in the demo, who does it and how often: the plan that the record is held against afterwards. Each has a
// task of its own, `incident-NAME`, so that nothing else can be mistaken for it.

export interface Outcome {
  readonly status: 'success' | 'failure' | 'refused' | 'escalated';
  /** A refusal's code, or empty. */
  readonly refusal: string;
  /** What enforcing would have said, where that is not what happened. */
  readonly would?: string;
  readonly calls: number;
}

/** An alert that this must raise, once. */
export interface Raised {
  readonly alert: string;
  readonly severity: 'critical' | 'warning';
}

export interface Incident {
  readonly name: string;
  readonly agent: string;
  readonly what: string;
  readonly outcomes: readonly Outcome[];
  readonly alerts: readonly Raised[];
  /** After the last article: what the agent does next would hide it from whoever looks at the ledger. */
  readonly last?: true;
}

/** Of the breakers in the demo's configuration. */
export const BREAKER = { callsMin: 20, cooldownSeconds: 2, trials: 2 } as const;
export const LOOP_CALLS = 40;
/** A loop is this many equal requests of one agent in one task. */
export const LOOP_FROM = 20;
export const TOO_MANY_CALLS = 36;
/** Windows, waits and repeats of alerts pass so many times as fast. */
export const ALERTS_PACE = 10;

export const INCIDENTS = [
  {
    name: 'overdue',
    agent: 'keyword',
    what: 'a task that is begun and not ended',
    outcomes: [{ status: 'success', refusal: '', calls: 1 }],
    alerts: [{ alert: 'task-overdue', severity: 'critical' }],
  },
  {
    name: 'rate-limited',
    agent: 'writer-4',
    what: 'the provider answers 429 for a while',
    outcomes: [
      { status: 'failure', refusal: '', calls: TOO_MANY_CALLS },
      { status: 'success', refusal: '', calls: 1 },
    ],
    alerts: [
      { alert: 'rate-limited', severity: 'warning' },
      { alert: 'error-rate', severity: 'critical' },
    ],
  },
  {
    name: 'failing-tool',
    agent: 'image-2',
    what: 'search answers 500; the circuit opens, tries again and closes',
    outcomes: [
      { status: 'failure', refusal: '', calls: BREAKER.callsMin },
      { status: 'refused', refusal: 'circuit_open', calls: 3 },
      { status: 'success', refusal: '', calls: BREAKER.trials + 1 },
    ],
    alerts: [
      { alert: 'error-rate', severity: 'critical' },
      { alert: 'circuit-open', severity: 'warning' },
      { alert: 'dead-letter', severity: 'warning' },
    ],
  },
  {
    name: 'loop',
    agent: 'research-3',
    what: 'the same question again and again',
    outcomes: [{ status: 'success', refusal: '', calls: LOOP_CALLS }],
    alerts: [{ alert: 'agent-degraded', severity: 'warning' }],
  },
  {
    name: 'task-overspent',
    agent: 'research-1',
    what: 'three market reports at $18 in one task',
    outcomes: [{ status: 'success', refusal: '', calls: 3 }],
    alerts: [{ alert: 'task-overspent', severity: 'critical' }],
  },
  {
    name: 'out-of-scope',
    agent: 'writer-2',
    what: 'a writer publishes',
    outcomes: [
      { status: 'success', refusal: '', calls: 1 },
      { status: 'refused', refusal: 'out_of_scope', calls: 2 },
    ],
    alerts: [{ alert: 'out-of-scope-act', severity: 'critical' }],
  },
  {
    name: 'prohibited',
    agent: 'writer-3',
    what: 'DELETE on the database',
    outcomes: [
      { status: 'success', refusal: '', calls: 1 },
      { status: 'refused', refusal: 'prohibited', calls: 1 },
    ],
    alerts: [{ alert: 'prohibited-act', severity: 'critical' }],
  },
  {
    name: 'denied',
    agent: 'editor-1',
    what: 'an explicit deny does its work, which wakes nobody',
    outcomes: [
      { status: 'success', refusal: '', calls: 1 },
      { status: 'refused', refusal: 'out_of_scope', calls: 2 },
    ],
    alerts: [],
  },
  {
    name: 'sponsored',
    agent: 'publisher',
    what: 'sponsored articles ask a human first',
    outcomes: [
      { status: 'success', refusal: '', calls: 1 },
      { status: 'escalated', refusal: 'approval_needed', calls: 3 },
    ],
    alerts: [],
  },
  {
    name: 'observed',
    agent: 'social-2',
    what: 'a dearer model, by an agent that is only observed',
    outcomes: [{ status: 'success', refusal: '', would: 'deny', calls: 4 }],
    alerts: [],
  },
  {
    name: 'mode-switched',
    agent: 'seo',
    what: 'an operator lets it observe for an hour, and it asks a dearer model',
    outcomes: [{ status: 'success', refusal: '', would: 'deny', calls: 2 }],
    alerts: [{ alert: 'mode-changed', severity: 'warning' }],
  },
  {
    name: 'crash',
    agent: 'editor-2',
    what: 'kill -9 of a sidecar with a call in flight, then a restart',
    outcomes: [
      { status: 'failure', refusal: '', calls: 1 },
      { status: 'success', refusal: '', calls: 1 },
    ],
    alerts: [{ alert: 'dead-letter', severity: 'warning' }],
  },
  {
    name: 'budget-used-up',
    agent: 'social-3',
    what: 'adverts at $7 out of $50 a month',
    outcomes: [
      { status: 'success', refusal: '', calls: 7 },
      { status: 'refused', refusal: 'over_budget', calls: 3 },
    ],
    last: true,
    alerts: [
      { alert: 'budget-near', severity: 'warning' },
      { alert: 'budget-near', severity: 'warning' },
      { alert: 'budget-used-up', severity: 'warning' },
    ],
  },
] as const satisfies readonly Incident[];

export type IncidentName = (typeof INCIDENTS)[number]['name'];

export const incidentTask = (name: string): string => `incident-${name}`;
