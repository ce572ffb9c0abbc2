// What a rule is and what it is asked. `rules/parse.ts` makes them, `rules/judge.ts` weighs them: strictest wins, the
// order never matters, nothing matched is deny.

import type { Verdict } from './attributes.ts';

export const RULE_KINDS = ['llm', 'http', 'mcp', 'a2a', 'tool', 'hosted', 'connect'] as const;
export type RuleKind = (typeof RULE_KINDS)[number];

export interface Rule {
  readonly kind: RuleKind;
  /** As written in the file: what records and refusals show. */
  readonly text: string;
  readonly source: { readonly file: string; readonly line: number; readonly column: number };
  /** The `when` condition as written, or null. */
  readonly when: string | null;
  /** Whether the target (not the condition) matches. */
  readonly matches: (subject: Subject) => boolean;
  /** Whether an http rule could match some path of `https://host[:port]`; never for other kinds. */
  readonly reaches: (origin: string, declared: boolean) => boolean;
  /** Whether it is about something of a model's, tools' or agent's upstream, whatever that is called. */
  readonly concerns: (upstream: string) => boolean;
  /** The compiled condition; throws where it errors. Null without `when`. */
  readonly holds: ((facts: ConditionFacts) => boolean) | null;
}

/** One thing a call wants to do. A model call has one `llm` subject, and a `tool` or `hosted` one per tool it offers. */
export type Subject =
  /** `model` is empty for a side endpoint, which names none: any rule that opens some model of the upstream opens it. */
  | { readonly kind: 'llm'; readonly upstream: string; readonly model: string }
  /** `url` is canonical, with scheme and host, without query: `https://api.search.example/v1/items`. */
  | { readonly kind: 'http'; readonly method: string; readonly url: string; readonly declared: boolean }
  | { readonly kind: 'mcp'; readonly upstream: string; readonly tool: string }
  | { readonly kind: 'a2a'; readonly upstream: string; readonly skill: string }
  | { readonly kind: 'tool'; readonly name: string }
  | { readonly kind: 'hosted'; readonly upstream: string; readonly type: string }
  | { readonly kind: 'connect'; readonly host: string; readonly port: number };

/** What CEL sees. */
export interface ConditionFacts {
  readonly call: Readonly<Record<string, unknown>>;
  readonly args: unknown;
  readonly agent: Readonly<Record<string, unknown>>;
  readonly task: string;
  readonly cost: number;
  readonly now: Date;
}

export interface RuleSet {
  readonly prohibited: readonly Rule[];
  readonly deny: readonly Rule[];
  readonly ask: readonly Rule[];
  readonly notify: readonly Rule[];
  readonly allow: readonly Rule[];
  /** `tool` rules bind only roles that have one. */
  readonly bindsTools: boolean;
}

export interface Judgement {
  readonly verdict: Verdict;
  /** The rule that decided, as written; null when nothing matched (verdict deny). */
  readonly rule: string | null;
  /** What was judged: `openai/gpt-5-mini`, `GET https://…`, `tool shell`. */
  readonly target: string;
}
