// One row of the accounting table: what an agent sends, what a provider's double answers on the wire, and what the
// record must then say. Each dialect has a file of rows here; one test runs them all and holds docs/accounting.md to
// what it measured.

import type { DialectName, Status, UsageSource } from '../../contract/attributes.ts';

export const SITUATIONS = [
  'whole',
  'streamed',
  'gzip',
  'cached tokens',
  'reasoning',
  'hosted tool',
  'disconnect',
  'mid-stream error',
] as const;
export type Situation = (typeof SITUATIONS)[number];

export interface Scenario {
  readonly request: {
    readonly method: 'POST';
    /** At the reverse door, after the upstream's name: `/v1/chat/completions`. */
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: unknown;
  };
  /** Sent by the double exactly as written; several chunks are sent one after the other, each flushed. */
  readonly answer: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly chunks: readonly (string | Buffer)[];
    /** The double keeps the stream open after the last chunk: the agent hangs up once it has got them all. */
    readonly staysOpen?: boolean;
  };
  readonly expected: {
    readonly status: Status;
    readonly source: UsageSource;
    readonly tokensIn: number | null;
    readonly tokensOut: number | null;
    readonly tokensCached: number | null;
    /** Integer nanodollars, worked out by hand from the prices in the file; null where nothing is priced. */
    readonly costNanodollars: bigint | null;
  };
}

/** A situation the dialect does not have (say why, as a sentence), or one it is refused in. */
export interface NotThere {
  readonly why: string;
}

export interface AccountingRows {
  /** As the table names it: `OpenAI chat`, `Bedrock converse`. */
  readonly title: string;
  readonly dialect: DialectName;
  /** The credential's value when the dialect needs one of a certain shape; else any text. */
  readonly secret?: string;
  /** The rule that allows the model, and its price in `prices:`, as YAML: `{ input: 1, output: 2 }`. */
  readonly allow: readonly string[];
  readonly prices: Readonly<Record<string, string>>;
  readonly rows: Readonly<Record<Situation, Scenario | NotThere>>;
}
