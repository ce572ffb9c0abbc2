// What Outrider says happened, read as anyone would: SQL at the read-only door, budgets at the control API.

import { parseDollars } from '../../contract/money.ts';
import { type Fleet, tokenOf } from './fleet.ts';

export interface Row {
  readonly agent_id: string;
  readonly task_id: string;
  readonly upstream: string;
  readonly model: string;
  readonly status: string;
  readonly refusal: string;
  readonly verdict: string;
  readonly would_verdict: string;
  readonly http_status: number;
  readonly tokens_in: string | null;
  readonly tokens_out: string | null;
  /** 0 where unknown: a comparison then differs. */
  readonly nanodollars: bigint;
  readonly call_id: string;
  readonly span_id: string;
  readonly trace_id: string;
  readonly error: string;
  readonly audit_stream: string;
}

export interface BudgetRow {
  readonly level: string;
  readonly name: string;
  readonly unit: string;
  readonly limit: string;
  readonly posted: string;
  readonly held: string;
}

const ACTIONS = `SELECT agent_id, task_id, upstream, model, status, refusal, verdict, would_verdict, http_status,
  toString(tokens_in) AS tokens_in, toString(tokens_out) AS tokens_out,
  toString(cost_usd) AS cost_usd, call_id, span_id, trace_id, audit_stream, error_type AS error
FROM actions`;

const SETTLE_MS = 90_000;
const AGAIN_MS = 250;
const OBSERVE_MS = 3_600_000;

/** Rows of one statement. Rejects with the store's own sentence. */
export async function ask<T>(fleet: Fleet, sql: string): Promise<T[]> {
  const url = `${fleet.collector.listen.sql}/?default_format=JSONEachRow`;
  const answer = await fetch(url, { method: 'POST', body: sql });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

/** All rows, once there are so many; what is there when that takes too long. */
export async function actionsOf(fleet: Fleet, expected: number): Promise<Row[]> {
  await until(
    async () =>
      Number((await ask<{ rows: string }>(fleet, 'SELECT toString(count()) AS rows FROM actions'))[0]?.rows),
    (rows) => rows >= expected,
  );
  const rows = await ask<Omit<Row, 'nanodollars'> & { cost_usd: string | null }>(fleet, ACTIONS);
  return rows.map((row) => ({ ...row, nanodollars: parseDollars(`$${row.cost_usd ?? 0}`) ?? 0n }));
}

/** GET from the control API, with the join token. */
export async function control<T>(fleet: Fleet, path: string): Promise<T> {
  const headers = { authorization: `Bearer ${tokenOf(fleet.data)}` };
  const answer = await fetch(`${fleet.collector.listen.control}${path}`, { headers });
  if (!answer.ok) throw new Error(`${path} was answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** As an operator would: lets an agent observe for a while, and waits until its sidecar does. */
export async function letObserve(fleet: Fleet, agent: string, reason: string): Promise<void> {
  const answer = await fetch(`${fleet.collector.listen.control}/v1/modes`, {
    method: 'POST',
    headers: { authorization: `Bearer ${tokenOf(fleet.data)}`, 'content-type': 'application/json' },
    body: JSON.stringify({ agent, mode: 'observe', for_ms: OBSERVE_MS, reason }),
  });
  if (!answer.ok) throw new Error(`The mode of ${agent} was not changed: ${await answer.text()}`);
  await until(
    () => control<readonly { name: string; mode: string }[]>(fleet, '/v1/agents'),
    (agents) => agents.some(({ name, mode }) => name === agent && mode === 'observe'),
  );
}

/** Asks again until it is good, or for so long; answers what was there last. */
export async function until<T>(
  asks: () => Promise<T>,
  good: (value: T) => boolean,
  ms = SETTLE_MS,
): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const value = await asks();
    if (good(value) || performance.now() > end) return value;
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}
