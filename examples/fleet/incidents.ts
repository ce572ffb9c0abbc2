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

export interface Incident {
  readonly name: string;
  readonly agent: string;
  readonly what: string;
  readonly outcomes: readonly Outcome[];
}

/** Of the breakers in the demo's configuration. */
export const BREAKER = { callsMin: 10, cooldownSeconds: 2, trials: 2 } as const;
export const LOOP_CALLS = 40;
/** A loop is this many equal requests of one agent in one task. */
export const LOOP_FROM = 20;

export const INCIDENTS = [
  {
    name: 'failing-tool',
    agent: 'analytics',
    what: 'search answers 500; the circuit opens, tries again and closes',
    outcomes: [
      { status: 'failure', refusal: '', calls: BREAKER.callsMin },
      { status: 'refused', refusal: 'circuit_open', calls: 3 },
      { status: 'success', refusal: '', calls: BREAKER.trials + 1 },
    ],
  },
  {
    name: 'loop',
    agent: 'research-3',
    what: 'the same question again and again',
    outcomes: [{ status: 'success', refusal: '', calls: LOOP_CALLS }],
  },
  {
    name: 'budget-used-up',
    agent: 'social-3',
    what: 'adverts at $7 out of $50 a month',
    outcomes: [
      { status: 'success', refusal: '', calls: 7 },
      { status: 'refused', refusal: 'over_budget', calls: 3 },
    ],
  },
  {
    name: 'task-overspent',
    agent: 'research-1',
    what: 'three market reports at $18 in one task',
    outcomes: [{ status: 'success', refusal: '', calls: 3 }],
  },
  {
    name: 'out-of-scope',
    agent: 'writer-2',
    what: 'a writer publishes',
    outcomes: [{ status: 'refused', refusal: 'out_of_scope', calls: 2 }],
  },
  {
    name: 'prohibited',
    agent: 'writer-3',
    what: 'DELETE on the database',
    outcomes: [{ status: 'refused', refusal: 'prohibited', calls: 1 }],
  },
  {
    name: 'denied',
    agent: 'editor-1',
    what: 'an explicit deny does its work',
    outcomes: [{ status: 'refused', refusal: 'out_of_scope', calls: 2 }],
  },
  {
    name: 'rate-limited',
    agent: 'keyword',
    what: 'the provider answers 429 for a while',
    outcomes: [
      { status: 'failure', refusal: '', calls: 6 },
      { status: 'success', refusal: '', calls: 1 },
    ],
  },
  {
    name: 'sponsored',
    agent: 'publisher',
    what: 'sponsored articles ask a human first',
    outcomes: [{ status: 'escalated', refusal: 'approval_needed', calls: 3 }],
  },
  {
    name: 'observed',
    agent: 'social-2',
    what: 'a dearer model, by an agent that is only observed',
    outcomes: [{ status: 'success', refusal: '', would: 'deny', calls: 4 }],
  },
  {
    name: 'overdue',
    agent: 'strategist',
    what: 'a task that is begun and not ended',
    outcomes: [{ status: 'success', refusal: '', calls: 1 }],
  },
  {
    name: 'crash',
    agent: 'editor-2',
    what: 'kill -9 of a sidecar with a call in flight, then a restart',
    outcomes: [
      { status: 'failure', refusal: '', calls: 1 },
      { status: 'success', refusal: '', calls: 1 },
    ],
  },
] as const satisfies readonly Incident[];

export type IncidentName = (typeof INCIDENTS)[number]['name'];

export const incidentTask = (name: string): string => `incident-${name}`;
