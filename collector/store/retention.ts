// How long rows live. No table drops any by itself: whole partitions, a day or a month of one table, are dropped once all
// of their time is over, which costs nothing and rewrites nothing. So rows live up to a day, or a month, longer than asked.
//
//   traces   what agents and sidecars sent: spans, logs, metrics
//   bodies   what was said, by its hash
//   audit    who did what, and the sums that answer for it; the law and DESIGN set a floor

import type { OverduePartition, RetentionClass } from '../../contract/retention.ts';
import type { Store } from './store.ts';

const METRICS = ['gauge', 'sum', 'histogram', 'exponential_histogram', 'summary'];

/** Every table that is cut into days or months stands in one of these. */
export const TABLES_OF: Readonly<Record<RetentionClass, readonly string[]>> = {
  traces: [
    'otel_traces',
    'otel_traces_trace_id_ts',
    'otel_segments',
    'otel_logs',
    ...METRICS.map((kind) => `otel_metrics_${kind}`),
    'dead_letter_calls',
  ],
  bodies: ['message_bodies'],
  audit: [
    'actions',
    'tool_requests',
    'control_event_records',
    'calls_1m',
    'calls_1h',
    'task_calls',
    'agent_edge_calls',
    'task_ends',
    'budget_entry_records',
    'agent_uses',
    'tools_1h',
  ],
};

export interface HeldRange {
  readonly id: string;
  /** Empty: everyone's rows. */
  readonly agent: string;
  /** Milliseconds since 1970; null: without end on that side. */
  readonly fromMs: number | null;
  readonly untilMs: number | null;
}

export interface Lives {
  readonly days: Readonly<Record<RetentionClass, number>>;
  readonly holds: readonly HeldRange[];
  readonly nowMs: number;
}

interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
}

const DAY_MS = 86_400_000;

/** Partitions past their time, the oldest first; those that a hold keeps say so. */
export async function overduePartitions(
  store: Pick<Store, 'query' | 'layout'>,
  { days, holds, nowMs }: Lives,
): Promise<OverduePartition[]> {
  const found = await partitionsOf(store);
  const overdue = found.filter((each) => {
    const { untilMs } = spanOf(each.partition);
    return untilMs + days[each.class] * DAY_MS <= nowMs;
  });
  if (overdue.length === 0) return [];
  const ranges = await Promise.all(holds.map((hold) => withDays(store, hold)));
  return overdue.map((each) => ({
    ...each,
    held_by: ranges.filter((range) => keeps(range, spanOf(each.partition))).map(({ id }) => id),
  }));
}

async function partitionsOf(
  store: Pick<Store, 'query' | 'layout'>,
): Promise<Omit<OverduePartition, 'held_by'>[]> {
  const classOf = new Map(
    Object.entries(TABLES_OF).flatMap(([name, tables]) =>
      tables.map((table) => [store.layout.holding(table), { table, class: name as RetentionClass }] as const),
    ),
  );
  const rows = await store.query<{ table: string; partition: string; rows: string; bytes: string }>(
    `SELECT table, partition_id AS partition, sum(rows) AS rows, sum(bytes_on_disk) AS bytes FROM ${store.layout.parts}
     WHERE active AND database = currentDatabase() AND match(partition_id, '^\\\\d{6}(\\\\d\\\\d)?$')
     GROUP BY table, partition ORDER BY partition, table`,
  );
  return rows.flatMap((row) => {
    const found = classOf.get(row.table);
    return found === undefined
      ? []
      : [{ ...row, ...found, rows: Number(row.rows), bytes: Number(row.bytes) }];
  });
}

/** Of `20261121` or `202611`: the store counts in UTC. */
export function spanOf(partition: string): Span {
  const [year, month, day] = [partition.slice(0, 4), partition.slice(4, 6), partition.slice(6)].map(Number);
  return day
    ? { fromMs: Date.UTC(year!, month! - 1, day), untilMs: Date.UTC(year!, month! - 1, day + 1) }
    : { fromMs: Date.UTC(year!, month! - 1), untilMs: Date.UTC(year!, month!) };
}

/** A hold of one agent's rows keeps the partitions around the days on which it did something. */
interface HeldDays extends HeldRange {
  readonly activeDays: readonly Span[] | null;
}

const DAYS_OF_AGENT = `
  SELECT DISTINCT toDate(timestamp) AS day FROM actions WHERE agent_id = {agent:String} OR caller_agent = {agent:String}
  UNION DISTINCT
  SELECT DISTINCT toDate(Timestamp) FROM otel_traces WHERE ServiceName = {agent:String} OR GenAiAgent = {agent:String}
  UNION DISTINCT
  SELECT DISTINCT toDate(Timestamp) FROM otel_logs WHERE ServiceName = {agent:String}`;

async function withDays(store: Pick<Store, 'query'>, hold: HeldRange): Promise<HeldDays> {
  if (hold.agent === '') return { ...hold, activeDays: null };
  const rows = await store.query<{ at: number }>(
    `SELECT toUnixTimestamp(toDateTime(day)) AS at FROM (${DAYS_OF_AGENT})`,
    { agent: hold.agent },
  );
  // What belongs to a call may lie on the other side of midnight.
  const activeDays = rows.map(({ at }) => ({ fromMs: at * 1000 - DAY_MS, untilMs: at * 1000 + 2 * DAY_MS }));
  return { ...hold, activeDays };
}

function keeps({ fromMs, untilMs, activeDays }: HeldDays, partition: Span): boolean {
  const range = { fromMs: fromMs ?? -Infinity, untilMs: untilMs ?? Infinity };
  if (!overlap(range, partition)) return false;
  return activeDays === null || activeDays.some((day) => overlap(day, partition) && overlap(day, range));
}

const overlap = (one: Span, other: Span): boolean => one.fromMs < other.untilMs && other.fromMs < one.untilMs;

/**
 * What came to the log before that time is older than every row that is kept: records go by whole months, and came to the
 * collector after they began, by a clock that may be a day off.
 */
export function logKeptFromMs({ days, holds, nowMs }: Lives): number {
  const kept = [nowMs - days.audit * DAY_MS, ...holds.map(({ fromMs }) => fromMs ?? 0)];
  const from = new Date(Math.max(0, Math.min(...kept)));
  return Date.UTC(from.getUTCFullYear(), from.getUTCMonth()) - DAY_MS;
}

/** For good. Whatever its size: a table's bound against slips of the hand is not meant for this. */
export async function dropPartition(
  store: Pick<Store, 'command' | 'layout'>,
  { table, partition }: Pick<OverduePartition, 'table' | 'partition'>,
): Promise<void> {
  await store.command(
    `ALTER TABLE ${store.layout.changed(table)} DROP PARTITION ID '${partition}' SETTINGS max_partition_size_to_drop = 0`,
  );
}

/** When the newest of what is stored came, milliseconds since 1970; null: nothing did. */
export async function newestReceivedMs(store: Pick<Store, 'query'>): Promise<number | null> {
  const [row] = await store.query<{ at: string }>(
    'SELECT toUnixTimestamp64Milli(max(LastReceivedAt)) AS at FROM otel_segments',
  );
  const at = Number(row?.at ?? 0);
  return at > 0 ? at : null;
}
