// What a stranger's statement may hold: everything here is named, everything else is refused. New releases of ClickHouse
// bring functions that read files, call models or dial out; a list of what is bad would let each of them through once.

import { type EngineLimits, READER_THREADS } from './messages.ts';

/** ClickHouse's own default: larger blocks only cost memory. */
const BLOCK_ROWS_MAX = 65_409;

/** How a statement's tree may begin, as EXPLAIN AST prints it. Names of tables may follow. */
export const ROOTS = [
  'SelectWithUnionQuery',
  'SelectIntersectExceptQuery',
  'Explain',
  'ShowTables',
  'ShowColumns',
  'ShowFunctions',
  'ShowIndexes',
  'ShowCreateTableQuery',
  'ShowCreateViewQuery',
  'ShowCreateDatabaseQuery',
  'ExistsTableQuery',
  'ExistsViewQuery',
  'ExistsDatabaseQuery',
  'DescribeQuery',
] as const;

/** The first word of the canonical text; checked before the engine is asked to explain it. */
export const FIRST_WORDS = ['SELECT', 'WITH', 'EXPLAIN', 'SHOW', 'EXISTS', 'DESCRIBE'] as const;

/** What EXPLAIN may explain: kinds that only plan, and no table override. */
export const EXPLAIN_KINDS = [
  'EXPLAIN',
  'EXPLAIN AST',
  'EXPLAIN SYNTAX',
  'EXPLAIN QUERY TREE',
  'EXPLAIN PIPELINE',
  'EXPLAIN ESTIMATE',
] as const;

/**
 * Nodes inside a SELECT. Left out on purpose: ColumnsApplyTransformer, since `* APPLY(file)` names a function that the
 * printed tree does not show.
 */
export const NODES = new Set([
  'SelectWithUnionQuery',
  'SelectIntersectExceptQuery',
  'SelectQuery',
  'ExpressionList',
  'Literal',
  'Identifier',
  'TableIdentifier',
  'Asterisk',
  'QualifiedAsterisk',
  'Subquery',
  'TablesInSelectQuery',
  'TablesInSelectQueryElement',
  'TableExpression',
  'TableJoin',
  'ArrayJoin',
  'OrderByElement',
  'InterpolateElement',
  'WithElement',
  'WindowDefinition',
  'WindowListElement',
  'SampleRatio',
  'ColumnsRegexpMatcher',
  'ColumnsListMatcher',
  'QualifiedColumnsRegexpMatcher',
  'QualifiedColumnsListMatcher',
  'ColumnsTransformerList',
  'ColumnsExceptTransformer',
  'ColumnsReplaceTransformer',
  'ColumnsReplaceTransformer::Replacement',
]);

export const TABLE_FUNCTIONS = new Set([
  'numbers',
  'numbers_mt',
  'zeros',
  'zeros_mt',
  'generateSeries',
  'generate_series',
  'values',
  'view',
]);

/** Tables of `system` that tools ask for when they connect, and that tell nothing of other people's queries or files. */
export const SYSTEM_TABLES = new Set([
  'aggregate_function_combinators',
  'collations',
  'columns',
  'contributors',
  'data_skipping_indices',
  'data_type_families',
  'databases',
  'formats',
  'functions',
  'keywords',
  'licenses',
  'numbers',
  'numbers_mt',
  'one',
  'settings',
  'table_engines',
  'table_functions',
  'tables',
  'time_zones',
  'zeros',
]);

/** Families of functions (system.functions.categories) that only compute. */
export const FUNCTION_CATEGORIES = new Set([
  'Aggregate Functions',
  'Arithmetic',
  'Arrays',
  'Bit',
  'Bitmap',
  'Comparison',
  'Conditional',
  'Dates and Times',
  'Distance',
  'Encoding',
  'Financial',
  'Geo',
  'Geo Polygon',
  'H3',
  'S2',
  'Hash',
  'IP Address',
  'JSON',
  'Logical',
  'Map',
  'Mathematical',
  'Nullable',
  'Null',
  'Random Number',
  'Rounding',
  'String',
  'String Replacement',
  'String Search',
  'String Splitting',
  'Time Series',
  'Time Window',
  'Tuple',
  'Type Conversion',
  'ULID',
  'URL',
  'UUID',
  'Window Functions',
]);

/** Of the families that hold more than computing, the functions that only compute; and syntax that prints as one. */
export const FUNCTIONS = new Set([
  ...['lambda', 'exists', 'untuple', 'columns', 'grouping', 'CAST', 'cast', '_CAST'],
  ...['bar', 'blockNumber', 'byteSize', 'caseWithExpression', 'caseWithExpr', 'caseWithoutExpr'],
  ...[
    'caseWithoutExpression',
    'currentDatabase',
    'currentSchemas',
    'currentUser',
    'defaultValueOfArgumentType',
  ],
  ...[
    'defaultValueOfTypeName',
    'displayName',
    'dumpColumnStructure',
    'finalizeAggregation',
    'formatReadableDecimalSize',
  ],
  ...[
    'formatReadableQuantity',
    'formatReadableSize',
    'formatReadableTimeDelta',
    'getSubcolumn',
    'identity',
    'ignore',
  ],
  ...['indexHint', 'initializeAggregation', 'isConstant', 'isDecimalOverflow', 'lowCardinalityIndices'],
  ...['lowCardinalityKeys', 'materialize', 'neighbor', 'parseReadableSize', 'parseReadableSizeOrNull'],
  ...['parseReadableSizeOrZero', 'parseTimeDelta', 'revision', 'rowNumberInAllBlocks', 'rowNumberInBlock'],
  ...[
    'runningAccumulate',
    'runningDifference',
    'runningDifferenceStartingWithFirstValue',
    'throwIf',
    'timezone',
  ],
  ...['timeZone', 'timezoneOf', 'timezoneOffset', 'toColumnTypeName', 'toTypeName', 'transform', 'uptime'],
  ...['variantElement', 'variantType', 'version', 'visibleWidth', 'serverTimezone', 'countDigits', 'digits'],
  ...['getSetting', 'sparkbar', 'nested', 'mapFromString'],
]);

export interface SettingRule {
  /** A number above this, or none, becomes this: the door's own limit. */
  readonly most?: keyof EngineLimits | number;
  /** Halves and tenths may be too. */
  readonly inParts?: boolean;
  readonly among?: readonly string[];
  readonly like?: RegExp;
}

/** The door itself has no such limit: a client's own counts, and none means none. */
const ANY_NUMBER: SettingRule = { most: Number.MAX_SAFE_INTEGER };
const THROW_OR_BREAK: SettingRule = { among: ['throw', 'break'] };
const SWITCH: SettingRule = { among: ['0', '1', 'true', 'false'] };

/** The engine takes what it does not know for a file, `/etc/passwd` and `file:x` too. */
const TIME_ZONE = /^(?!file:)\w[\w+:-]*(?:\/[\w+:-]+)*$/;

/** Settings that a client may send: they lower a limit, or say how output looks or how a plan is made. */
export const SETTINGS: ReadonlyMap<string, SettingRule> = new Map(
  Object.entries({
    max_execution_time: { most: 'querySecondsMax', inParts: true },
    max_memory_usage: { most: 'queryMemoryBytes' },
    max_result_rows: { most: 'resultRowsMax' },
    max_result_bytes: { most: 'resultBytesMax' },
    max_threads: { most: READER_THREADS },
    max_block_size: { most: BLOCK_ROWS_MAX },
    limit: ANY_NUMBER,
    max_rows_to_read: ANY_NUMBER,
    max_bytes_to_read: ANY_NUMBER,
    max_rows_to_group_by: ANY_NUMBER,
    max_rows_to_sort: ANY_NUMBER,
    max_rows_in_distinct: ANY_NUMBER,
    read_overflow_mode: THROW_OR_BREAK,
    result_overflow_mode: THROW_OR_BREAK,
    sort_overflow_mode: THROW_OR_BREAK,
    distinct_overflow_mode: THROW_OR_BREAK,
    timeout_overflow_mode: THROW_OR_BREAK,
    group_by_overflow_mode: { among: ['throw', 'break', 'any'] },
    cast_keep_nullable: SWITCH,
    count_distinct_implementation: {
      among: ['uniq', 'uniqCombined', 'uniqCombined64', 'uniqHLL12', 'uniqExact'],
    },
    optimize_read_in_order: SWITCH,
    short_circuit_function_evaluation: { among: ['enable', 'force_enable', 'disable'] },
    date_time_output_format: {},
    extremes: {},
    format_csv_delimiter: {},
    join_use_nulls: {},
    output_format_json_named_tuples_as_objects: {},
    output_format_json_quote_64bit_floats: {},
    output_format_json_quote_64bit_integers: {},
    output_format_json_quote_decimals: {},
    output_format_json_quote_denormals: {},
    session_timezone: { like: TIME_ZONE },
  } satisfies Record<string, SettingRule>),
);
