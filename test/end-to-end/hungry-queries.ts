// Strangers at the SQL door who would eat all memory while a fleet spends, and the store's process killed in the midst of
// it: their queries die; nothing that was acknowledged is lost, and no lease comes late.

import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import { rows, until } from '../support/processes.ts';
import type { ManySidecars } from './many-sidecars.ts';

const HUNGRY = [
  'SELECT length(groupArray(repeat(toString(number), 100000))) FROM numbers(100000)',
  'SELECT length(groupArray(number)) FROM numbers(1000000000)',
  'SELECT length(groupUniqArray(number)) FROM numbers(1000000000)',
];
const OUT_OF_MEMORY = '241';
const BETWEEN_MS = 100;

/** `quietTask` was spent by the same fleet before, without hungry queries. */
export async function spendAmongHungry(
  many: ManySidecars,
  { task, quietTask, dollars }: { task: string; quietTask: string; dollars: number },
): Promise<void> {
  const eaten = { deaths: 0, stop: false };
  const eaters = HUNGRY.map((statement) => eat(many.sql, statement, eaten));
  const killed = killOnceEaten(many, eaten);
  const calls = await many.spend(task);
  await killed;
  eaten.stop = true;
  await Promise.all(eaters);
  const late = await allThere(many.sql, task, calls, dollars);
  // Where leases were late without any hungry query, the machine was too busy to tell who made these late.
  const [quiet] = await rows<Summary>(many.sql, summaryOf(quietTask));
  if (quiet?.late === 0) expect(late, 'calls refused for a ledger that did not answer in time').toBe(0);
  else console.warn(`late among hungry queries: ${late}, without them: ${quiet?.late}`);
}

interface Summary {
  readonly calls: number;
  readonly distinct: number;
  readonly paid: number;
  readonly late: number;
}

/** Asks until told to stop. That a query is ever answered would be a defect. */
async function eat(sql: string, statement: string, eaten: { deaths: number; stop: boolean }): Promise<void> {
  while (!eaten.stop) {
    const answer = await fetch(sql, { method: 'POST', body: statement }).catch(() => null); // the store is away
    await answer?.arrayBuffer().catch(() => null);
    expect(answer?.status, statement).not.toBe(200);
    if (answer?.headers.get('x-clickhouse-exception-code') === OUT_OF_MEMORY) eaten.deaths += 1;
    await pause(BETWEEN_MS);
  }
}

async function killOnceEaten(many: ManySidecars, eaten: { deaths: number }): Promise<void> {
  await until(
    async () => eaten.deaths,
    (deaths) => deaths >= HUNGRY.length,
  );
  const [store] = childrenOf(many.collector.child.pid!);
  expect(store, 'the process of the store').toBeGreaterThan(0);
  process.kill(store!, 'SIGKILL');
  const before = eaten.deaths;
  // It is back, and hungry queries die of hunger again, not of its absence.
  await until(
    async () => eaten.deaths,
    (deaths) => deaths > before,
  );
}

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
}

/** Each call once, all that the budget paid for among them. Answers how many the ledger was late for. */
async function allThere(sql: string, task: string, calls: number, dollars: number): Promise<number> {
  const [seen] = await until(
    () => rows<Summary>(sql, summaryOf(task)).catch(() => []),
    (found) => Number(found[0]?.calls) >= calls,
  );
  expect(seen).toMatchObject({ calls, distinct: calls, paid: dollars });
  return seen!.late;
}

const summaryOf = (task: string) => `
  SELECT toUInt32(count()) AS calls, toUInt32(uniqExact(call_id)) AS distinct,
         toUInt32(countIf(status = 'success')) AS paid, toUInt32(countIf(refusal = 'ledger_unreachable')) AS late
  FROM actions WHERE task_id = '${task}'`;
