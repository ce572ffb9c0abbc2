// The one statement that turns a segment into the rows of a table. ClickHouse reads the protobuf; SELECT shapes the columns;
// materialized views fill every other table from the same block. Nothing is decoded in JavaScript.

import { type Signal, signalOf } from '../signals.ts';
import { BODIES } from './bodies-sql.ts';
import { LOGS } from './load-logs.ts';
import { METRICS } from './load-metrics.ts';
import type { Load, Source } from './load-parts.ts';
import { TRACES, TRACES_BY_CONTENT } from './load-traces.ts';
import { REQUEST_MESSAGE } from './otlp-schema.ts';
import { quoted } from './sql-text.ts';

const LOADS: Readonly<Record<Signal, readonly Load[]>> = { traces: [TRACES], logs: [LOGS], metrics: METRICS };

export interface SegmentSource {
  /** Names the segment for ever: it is the deduplication token, and says which signal it holds. */
  readonly id: string;
  readonly source: Source;
  /** What its spans said is kept by content. The same bytes, the same answer: so says the text. */
  readonly hasBodies?: boolean;
}

export interface LoadStatement {
  readonly table: string;
  readonly insert: string;
  /** How many rows, as `items`, the table has of segment `{id:String}`. */
  readonly count: string;
}

/**
 * INSERT … SELECT of one segment, one statement for each table that its signal fills. The same segment always gives the
 * same text, so a segment in doubt may be replayed: every table drops the blocks it already has. One thread and a fixed
 * block size make the blocks the same each time.
 */
export function loadStatements(segment: SegmentSource): readonly LoadStatement[] {
  return loadsOf(segment).map((load) => ({
    table: load.table,
    insert: loadStatement(load, segment),
    count: load.isShared
      ? 'SELECT 0 AS items'
      : `SELECT count() AS items FROM ${load.table} WHERE SegmentId = {id:String}`,
  }));
}

const loadsOf = ({ id, hasBodies }: SegmentSource): readonly Load[] =>
  hasBodies ? [BODIES, TRACES_BY_CONTENT] : LOADS[signalOf(id)];

/** Says how many items of each segment are stored. */
export const countingTable = 'otel_segments';

/** Takes back what a segment added to a table, for good: its token stays known. */
export const undoStatement = (table: string, segmentId: string): string =>
  `DELETE FROM ${table} WHERE SegmentId = ${quoted(segmentId)}`;

function loadStatement(load: Load, segment: SegmentSource): string {
  const settings = Object.entries(settingsOf(load, segment)).map(([name, value]) => `${name} = ${value}`);
  const columns = load.isShared ? load.columns : { ...load.columns, SegmentId: quoted(segment.id) };
  return `INSERT INTO ${load.table} (${Object.keys(columns).join(', ')})
SELECT ${Object.values(columns).join(',\n  ')}
FROM (${load.rows(segment.source)})
WHERE ${load.where ?? 1}
SETTINGS ${settings.join(', ')}${segment.source.from === 'body' ? BODY : ''}`;
}

/** What follows the line that says so is the segment's bytes. */
const BODY = '\nFORMAT Protobuf';
/** A body is cut into blocks by a setting of its own, and may not be read by several threads at once. */
const BODY_SETTINGS = { max_insert_block_size: 65536, input_format_parallel_parsing: 0 };

const settingsOf = (load: Load, segment: SegmentSource): Readonly<Record<string, string | number>> => ({
  insert_deduplication_token: quoted(segment.id),
  format_schema_source: quoted('string'),
  format_schema: quoted(load.schema),
  format_schema_message_name: quoted(REQUEST_MESSAGE),
  input_format_protobuf_oneof_presence: 1,
  max_threads: 1,
  max_insert_threads: 1,
  // By bytes, not by requests: some hold one item, some a thousand.
  max_block_size: 65536,
  input_format_max_block_size_bytes: 8_000_000,
  min_insert_block_size_rows: 1048576,
  min_insert_block_size_bytes: 268435456,
  short_circuit_function_evaluation: quoted('disable'),
  compile_expressions: 0,
  // Most of a load's time is the engine's work on its text: making its plan better takes longer than a better plan saves.
  query_plan_enable_optimizations: 0,
  optimize_functions_to_subcolumns: 0,
  optimize_multiif_to_if: 0,
  optimize_and_compare_chain: 0,
  optimize_group_by_function_keys: 0,
  // Merges build them: a part as small as a segment is read whole faster than its indexes are made.
  materialize_skip_indexes_on_insert: 0,
  ...(segment.source.from === 'body' ? BODY_SETTINGS : {}),
});
