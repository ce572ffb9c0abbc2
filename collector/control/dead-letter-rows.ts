// A dead letter as the control database has it, and as the control API says it.

import {
  type DeadLetterKind,
  type DeadLetterLine,
  type DeadLetterState,
  type FailedCall,
  NOT_KEPT,
  type NotKept,
  type ReplayResult,
} from '../../contract/dead-letter.ts';

/** Whole numbers as text. */
export interface LetterRow extends Readonly<Record<string, unknown>> {
  readonly letter_id: string;
  readonly agent: string;
  readonly task: string;
  readonly upstream: string;
  readonly kind: DeadLetterKind;
  readonly state: DeadLetterState;
  readonly since: string;
  readonly last_seen: string;
  readonly calls: string;
  readonly folded: string;
  readonly facts: LetterFacts;
  readonly request: string;
  readonly answer: string;
  readonly not_kept: string;
  readonly attempt: string;
  readonly asked_by: string;
  readonly result: (Omit<ReplayResult, 'at' | 'answer'> & { readonly at_ms: number }) | null;
  readonly closed_at: string | null;
  readonly closed_by: string;
  readonly reason: string;
}

/** What the store says of the call that failed last. */
export interface LetterFacts {
  readonly agent_instance: string;
  readonly owner: string;
  readonly department: string;
  readonly target: string;
  readonly operation: string;
  readonly model: string;
  readonly method: string;
  readonly path: string;
  readonly error_type: string;
  readonly refusal: string;
  readonly http_status: number;
  readonly upstream_status: number;
  readonly message: string;
  readonly body_digest: string;
  readonly trace_id: string;
  readonly span_id: string;
}

export const COLUMNS = `letter_id, agent, task, upstream, kind, state, since::text as since, last_seen::text as last_seen,
  calls::text as calls, folded::text as folded, facts, request, answer, not_kept, attempt::text as attempt, asked_by,
  result, closed_at::text as closed_at, closed_by, reason`;

export function lineOf(row: LetterRow): DeadLetterLine {
  const { facts } = row;
  return {
    id: row.letter_id,
    agent: row.agent,
    task: row.task,
    upstream: row.upstream,
    target: facts.target,
    kind: row.kind,
    state: row.state,
    since: iso(row.since),
    last_seen: iso(row.last_seen),
    calls: Number(row.calls),
    folded: Number(row.folded),
    error_type: facts.error_type,
    http_status: facts.http_status,
    message: facts.message,
    replayable: isReplayable(row),
  };
}

export const isReplayable = ({ request, not_kept }: LetterRow): boolean => request !== '' && not_kept === '';

/** Why it can't be replayed, as the rest of a sentence; empty where it can. */
export function whyNotKept(row: LetterRow): string {
  if (isReplayable(row)) return '';
  return NOT_KEPT[row.not_kept as NotKept] ?? NOT_KEPT.capture;
}

export function failedCallOf(facts: Readonly<Record<string, unknown>>): FailedCall {
  const text = (name: string): string => String(facts[name] ?? '');
  return {
    call_id: text('call_id'),
    at: iso(text('ended_ms')),
    kind: text('mark') as DeadLetterKind,
    error_type: text('error_type'),
    http_status: Number(facts.http_status ?? 0),
    trace_id: text('trace_id'),
    span_id: text('span_id'),
  };
}

export const iso = (ms: string | number): string => new Date(Number(ms)).toISOString();
