// Rows of calls, waited for. A row is there a second or two after its call ended, and each look costs the store CPU: so it
// is asked for ids alone, and all who wait ask as one.

import { setTimeout as pause } from 'node:timers/promises';

const LOOK_EVERY_MS = 250;
const PATIENCE_MS = 40_000;

/** Resolves with every row of these calls, once each has one; rejects after 40 s. */
export type CallRows<Row> = (calls: readonly string[]) => Promise<Row[]>;

/** `query` is the SQL door's. */
export function openCallRows<Row>(query: <T>(sql: string) => Promise<T[]>): CallRows<Row> {
  const awaited = new Set<string>();
  let next: Promise<ReadonlySet<string>> | undefined;

  async function look(): Promise<ReadonlySet<string>> {
    await pause(LOOK_EVERY_MS);
    next = undefined; // who comes now is in the next
    const found = await query<{ call_id: string }>(
      `SELECT DISTINCT call_id FROM actions WHERE call_id IN (${quoted([...awaited])})`,
    );
    return new Set(found.map(({ call_id }) => call_id));
  }

  return async (calls) => {
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      for (const call of calls) awaited.add(call);
      next ??= look();
      const found = await next;
      const missing = calls.filter((call) => !found.has(call));
      if (missing.length === 0) break;
      if (performance.now() > end) throw new Error(`no row in ${PATIENCE_MS} ms: ${missing.join()}`);
    }
    for (const call of calls) awaited.delete(call);
    return query<Row>(`SELECT * FROM actions WHERE call_id IN (${quoted(calls)})`);
  };
}

const quoted = (calls: readonly string[]): string => calls.map((call) => `'${call}'`).join();
