// What a subject may have harmed since a moment: what was touched through it or by it, and which agents worked on with
// what it said, over as many steps as there are.

/** GET /v1/quarantine/radius?subject=&since=. Amounts in nanodollars as strings, times ISO 8601. */
export interface BlastRadius {
  readonly subject: string;
  readonly since: string;
  /** What it reached, acts that may have changed something first. */
  readonly touched: readonly Touched[];
  /** The agents themselves, then those that worked on with what they said: by whom, and in how many steps. */
  readonly agents: readonly Reached[];
  readonly tasks: readonly TouchedTask[];
  /** Names of the credentials it went out with. */
  readonly credentials: readonly string[];
  /** Some list was longer than what is shown. */
  readonly more: boolean;
}

export interface Touched {
  readonly target: string;
  readonly upstream: string;
  readonly agent: string;
  readonly calls: number;
  /** Of them, those that may have changed something there: a tool's or another agent's act, any method but a reading one. */
  readonly changes: number;
  /** Not let through. */
  readonly refused: number;
  readonly cost_nanodollars: string;
  readonly first_seen: string;
  readonly last_seen: string;
}

export const REACHES = ['itself', 'used', 'asked', 'was asked by', 'shared a trace with'] as const;

export interface Reached {
  readonly agent: string;
  /** 0: the subject itself, or who used it; then one more for each agent in between. */
  readonly steps: number;
  /** What it is to `by`: `itself`, `used` it, `asked` it and read its answer, `was asked by` it and worked for it, or shares a trace with it. */
  readonly how: (typeof REACHES)[number];
  /** The agent it has it from; the subject where `steps` is 0. */
  readonly by: string;
  readonly calls: number;
  readonly since: string;
  readonly last_seen: string;
}

export interface TouchedTask {
  readonly agent: string;
  readonly task: string;
  readonly calls: number;
  readonly changes: number;
  readonly first_seen: string;
  readonly last_seen: string;
}
