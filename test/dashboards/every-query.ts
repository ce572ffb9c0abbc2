// Runs every question of every dashboard as Grafana would, against the real things: PromQL at Prometheus, SQL at the
// collector's read-only door.

import { rows } from '../support/processes.ts';
import { type Asked, everyQuestion } from './dashboard-files.ts';
import { expandPromql, expandSql, type Picked } from './macros.ts';

export interface Outcome {
  readonly where: string;
  /** As it was sent. */
  readonly text: string;
  readonly rows: number;
  /** What went wrong; null where it did not. */
  readonly failure: string | null;
}

export interface Sources {
  /** The collector's SQL door. */
  readonly sql: string;
  /** Without it only the SQL is run. */
  readonly prometheus?: string;
}

/** The `minutes` up to `toMs`, or to now, in steps of `stepSeconds`, of what is picked. */
export async function everyQuery(
  sources: Sources,
  picked: { minutes?: number; toMs?: number; stepSeconds?: number; variables?: Picked['variables'] } = {},
): Promise<Outcome[]> {
  const { minutes = 10, toMs = Date.now(), stepSeconds = 5, variables = {} } = picked;
  const span: Picked = {
    fromMs: toMs - minutes * 60_000,
    toMs,
    stepSeconds,
    variables: { agent: [], department: [], ...variables },
  };
  const outcomes: Outcome[] = [];
  for (const question of everyQuestion()) {
    if (question.kind === 'sql')
      outcomes.push(await outcomeOf(question, expandSql(question.text, span), askSql(sources)));
    else if (sources.prometheus !== undefined) {
      const text = expandPromql(question.text, span);
      outcomes.push(await outcomeOf(question, text, askPrometheus(sources.prometheus, span, question)));
    }
  }
  return outcomes;
}

async function outcomeOf(
  { where }: Asked,
  text: string,
  ask: (text: string) => Promise<number>,
): Promise<Outcome> {
  try {
    return { where, text, rows: await ask(text), failure: null };
  } catch (failure) {
    return { where, text, rows: 0, failure: (failure as Error).message };
  }
}

/** A row counts when it holds something: a number, or a text that is not empty. */
function askSql({ sql }: Sources) {
  return async (text: string): Promise<number> => {
    const found = await rows<Record<string, unknown>>(sql, text);
    return found.filter((row) => Object.values(row).some((value) => value !== null && value !== '')).length;
  };
}

interface PrometheusAnswer {
  readonly status: string;
  readonly error?: string;
  readonly data?: {
    readonly result: readonly { readonly value?: [number, string]; readonly values?: [number, string][] }[];
  };
}

/** Counts the series that have at least one real number: NaN draws nothing. */
function askPrometheus(base: string, { fromMs, toMs, stepSeconds }: Picked, { instant }: Asked) {
  return async (query: string): Promise<number> => {
    const path = instant ? '/api/v1/query' : '/api/v1/query_range';
    const stretch = instant
      ? { time: String(toMs / 1000) }
      : { start: String(fromMs / 1000), end: String(toMs / 1000), step: String(stepSeconds) };
    const answer = await fetch(base + path, {
      method: 'POST',
      body: new URLSearchParams({ query, ...stretch }),
    });
    const { status, error, data } = (await answer.json()) as PrometheusAnswer;
    if (status !== 'success') throw new Error(error ?? `Prometheus answered ${answer.status}`);
    const isNumber = ([, value]: [number, string]): boolean => Number.isFinite(Number(value));
    return (data?.result ?? []).filter(({ value, values }) =>
      (values ?? (value ? [value] : [])).some(isNumber),
    ).length;
  };
}
