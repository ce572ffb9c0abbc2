// The rows beside the log, as they are exported: a piece at a time, for months of them are no answer of one query, and past
// the SQL door, whose answers are bounded. Every number is a string, so that nobody's reader rounds one.

const ROWS_AT_ONCE = 20_000;

export type Ask = <T>(sql: string, parameters?: Record<string, unknown>) => Promise<T[]>;

/** Hours that have rows in `actions`, ISO 8601 to the hour, the first one first. */
export async function hoursOf(
  ask: Ask,
  sinceMs: number,
  untilMs: number,
): Promise<{ hour: string; rows: number }[]> {
  const sql = `SELECT formatDateTime(toStartOfHour(timestamp), '%Y-%m-%dT%H', 'UTC') AS hour, count() AS rows FROM actions
    WHERE timestamp >= fromUnixTimestamp64Milli({since:Int64}) AND timestamp < fromUnixTimestamp64Milli({until:Int64})
    GROUP BY hour ORDER BY hour`;
  const found = await ask<{ hour: string; rows: string }>(sql, { since: sinceMs, until: untilMs });
  return found.map(({ hour, rows }) => ({ hour, rows: Number(rows) }));
}

/** One hour's rows as lines of JSON, in bunches. */
export async function* actionLines(ask: Ask, hourMs: number): AsyncGenerator<string> {
  const minutes = await ask<{ minute: string; rows: string }>(
    `SELECT toUnixTimestamp(toStartOfMinute(timestamp)) AS minute, count() AS rows FROM actions
     WHERE timestamp >= fromUnixTimestamp64Milli({since:Int64}) AND timestamp < fromUnixTimestamp64Milli({until:Int64})
     GROUP BY minute ORDER BY minute`,
    { since: hourMs, until: hourMs + 3_600_000 },
  );
  for (const { from, to } of stretches(minutes)) {
    const rows = await ask<object>(
      `SELECT * FROM actions
       WHERE timestamp >= fromUnixTimestamp64Milli({since:Int64}) AND timestamp < fromUnixTimestamp64Milli({until:Int64})`,
      { since: from, until: to },
    );
    yield linesOf(rows);
  }
}

/** Every control event, in its order. */
export async function* controlEventLines(ask: Ask): AsyncGenerator<string> {
  for (let last = '-1'; ; ) {
    const rows = await ask<{ id: string }>(
      `SELECT * FROM control_events WHERE toInt64(id) > {last:Int64} ORDER BY id LIMIT ${ROWS_AT_ONCE}`,
      { last },
    );
    const end = rows.at(-1);
    if (end === undefined) return;
    yield linesOf(rows);
    last = end.id;
  }
}

/** Neighbouring minutes, as many as are read at once. */
function stretches(minutes: readonly { minute: string; rows: string }[]): { from: number; to: number }[] {
  const found: { from: number; to: number; rows: number }[] = [];
  for (const { minute, rows } of minutes) {
    const from = Number(minute) * 1_000;
    const last = found.at(-1);
    if (last && last.rows + Number(rows) <= ROWS_AT_ONCE)
      Object.assign(last, { to: from + 60_000, rows: last.rows + Number(rows) });
    else found.push({ from, to: from + 60_000, rows: Number(rows) });
  }
  return found;
}

const linesOf = (rows: readonly object[]): string =>
  rows.map((row) => `${JSON.stringify(row, asText)}\n`).join('');
const asText = (_key: string, value: unknown): unknown => (typeof value === 'number' ? String(value) : value);
