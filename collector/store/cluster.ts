// The migrations on a cluster. Every table is two there: `x_local` on each shard, replicated, holds the rows; `x`, where
// everybody reads and the loads write, spreads over the shards by a hash. Views that fill tables stay within a shard, so a
// call's rows lie where its trace lies.
//
//   INSERT ─▶ otel_traces (Distributed) ─▶ otel_traces_local ─▶ actions_mv ─▶ actions_local ◀─ actions (Distributed) ◀─ SELECT
//
// A statement that nobody thought of when this was written is refused, never sent as it is.

import type { Layout } from './layout.ts';
import { migrations, RECORD } from './migrate.ts';
import { quoted } from './sql-text.ts';

/**
 * A segment in doubt may come again weeks later, when a server was away so long; the server's own default is an hour.
 * Times the tables, this many small nodes stand in Keeper at most.
 */
const REMEMBERED =
  'replicated_deduplication_window = 100000, replicated_deduplication_window_seconds = 2419200';

const NAME = '(\\w+)';
const IF_NOT_EXISTS = '(?:IF NOT EXISTS )?';
const CREATE_TABLE = new RegExp(`^CREATE TABLE ${IF_NOT_EXISTS}${NAME}\\s*\\(`);
const CREATE_FILLING_VIEW = new RegExp(`^CREATE MATERIALIZED VIEW ${IF_NOT_EXISTS}${NAME} TO ${NAME}`);
const CREATE_VIEW = new RegExp(`^CREATE (?:OR REPLACE )?VIEW ${IF_NOT_EXISTS}${NAME}`);
const MODIFY_QUERY = new RegExp(`^ALTER TABLE ${NAME}\\s+MODIFY QUERY`);
const ALTER_TABLE = new RegExp(`^ALTER TABLE ${NAME}\\s+`);
const DROP_VIEW = new RegExp(`^DROP VIEW (?:IF EXISTS )?${NAME}`);
const INSERT_SELECT = new RegExp(`^INSERT INTO ${NAME}\\b[^]*\\bSELECT\\b`);

/** `cluster` is a name in the server's `remote_servers`. */
export function clusterLayout(cluster: string): Layout {
  const everywhere = `ON CLUSTER ${quoted(cluster)}`;
  const tables = tableNames();
  const world = { cluster, everywhere, tables };
  return {
    statements: (migration) => rewritten(withoutHead(migration), world),
    everywhere,
    changed: (table) => `${table}_local ${everywhere}`,
    holding: (table) => `${table}_local`,
    asked: (holding) => holding.replace(/_local$/, ''),
    draft: (table, draft) => ({
      made: [
        // Replicated as the table is: any replica may be the one that takes its partitions over.
        `CREATE TABLE ${draft}_local ${everywhere} AS ${table}_local`,
        forwarding(draft, shardingOf(statementOf(table)), world),
      ],
      gone: [draft, `${draft}_local`].map((name) => `DROP TABLE IF EXISTS ${name} ${everywhere} SYNC`),
    }),
    settled: (table) => [`SYSTEM SYNC REPLICA ${everywhere} ${table}_local`],
    // One replica of each shard: each holds all of the shard's.
    parts: `cluster(${quoted(cluster)}, system.parts)`,
  };
}

interface World {
  readonly cluster: string;
  /** `ON CLUSTER 'name'`. */
  readonly everywhere: string;
  /** Those that are two on a cluster. */
  readonly tables: ReadonlySet<string>;
}

/** Throws an Error that shows the statement when its kind is unknown. */
function rewritten(statement: string, world: World): string[] {
  const { everywhere } = world;
  const after = (kind: RegExp) => statement.replace(kind, (head) => `${head} ${everywhere}`);
  if (CREATE_TABLE.test(statement)) return bothTables(statement, world);
  if (CREATE_FILLING_VIEW.test(statement)) return [withinShard(filledWithinShard(statement, world), world)];
  if (CREATE_VIEW.test(statement)) return [joinedFar(after(CREATE_VIEW))];
  if (DROP_VIEW.test(statement)) return [after(DROP_VIEW)];
  if (MODIFY_QUERY.test(statement))
    return [
      withinShard(
        statement.replace(/^ALTER TABLE \w+/, (head) => `${head} ${everywhere}`),
        world,
      ),
    ];
  if (ALTER_TABLE.test(statement)) return bothAltered(statement, world);
  if (INSERT_SELECT.test(statement)) return [statement];
  throw new Error(`no form for a cluster is known of: ${statement.slice(0, 200)}`);
}

const LOOK_UP = "join_algorithm = 'direct'";
const FEW_TO_MANY = /\bFROM (\w+) LEFT JOIN (\w+ AS \w+) ON\b/;

/** By its key a row is looked up where it lies, not through the table that forwards: there the few are held, and the many go past. */
const joinedFar = (view: string): string =>
  view.includes(LOOK_UP)
    ? view.replace(FEW_TO_MANY, 'FROM $2 RIGHT JOIN $1 ON').replace(LOOK_UP, "join_algorithm = 'hash'")
    : view;

const withoutHead = (statement: string): string => statement.replace(/^(?:\s+|--[^\n]*\n)+/, '').trimEnd();

function bothTables(statement: string, world: World): string[] {
  const name = CREATE_TABLE.exec(statement)![1]!;
  const local = statement
    .replace(CREATE_TABLE, (head) => head.replace(name, `${name}_local ${world.everywhere}`))
    .replace(/\bENGINE = (\w*MergeTree)\b/, 'ENGINE = Replicated$1')
    .replace(/\bnon_replicated_deduplication_window = \d+/, REMEMBERED);
  if (!local.includes('ENGINE = Replicated'))
    throw new Error(`no replicated engine is known for the table ${name}`);
  return [local, forwarding(name, shardingOf(statement), world)];
}

/** The table where everybody reads and the loads write. */
const forwarding = (name: string, sharding: string, { cluster, everywhere }: World): string =>
  `CREATE TABLE IF NOT EXISTS ${name} ${everywhere} AS ${name}_local ENGINE = Distributed(${quoted(cluster)}, currentDatabase(), ${quoted(`${name}_local`)}, ${sharding})`;

/** The first that a table has says where its rows go; the same row always goes to the same shard. */
const SHARD_BY: readonly (readonly [column: string, key: string])[] = [
  ['MetricName', 'cityHash64(ServiceName, MetricName, TimeUnix)'],
  // Many log records have no trace: those of one would otherwise fill one shard.
  ['SeverityNumber', 'cityHash64(TraceId, Timestamp)'],
  ['TraceId', 'cityHash64(TraceId)'],
  ['trace_id', 'cityHash64(trace_id)'],
];

function shardingOf(statement: string): string {
  const known = SHARD_BY.find(([column]) => new RegExp(`^\\s*${column} `, 'm').test(statement));
  if (known) return known[1];
  const order = /\bORDER BY \(?(?:\w+\()?(\w+)/.exec(statement)?.[1];
  if (order === undefined) throw new Error(`no column to spread by: ${statement.slice(0, 200)}`);
  return `cityHash64(${order})`;
}

function filledWithinShard(statement: string, { everywhere }: World): string {
  return statement.replace(
    CREATE_FILLING_VIEW,
    (head, name: string, target: string) =>
      `${head.slice(0, head.indexOf(name))}${name} ${everywhere} TO ${target}_local`,
  );
}

/** Columns may be named by their table, which keeps its name here. */
const withinShard = (statement: string, { tables }: World): string =>
  statement.replace(
    /\b(FROM|JOIN)(\s+)(\w+)\b(?!\s+AS\b)/g,
    (clause, word: string, space: string, name: string) =>
      tables.has(name) ? `${word}${space}${name}_local AS ${name}` : clause,
  );

/** What a table that only forwards has too: columns. Indexes, settings and times of life are the other's alone. */
const OF_COLUMNS = /^(?:ADD|DROP|MODIFY|ALTER|RENAME|COMMENT) COLUMN\b/;

function bothAltered(statement: string, { everywhere }: World): string[] {
  const name = ALTER_TABLE.exec(statement)![1]!;
  const changes = withSettings(commands(statement.replace(ALTER_TABLE, '')));
  const strange = changes.find((change) => !A_CHANGE.test(change));
  if (strange !== undefined) throw new Error(`no form for a cluster is known of: ${strange}`);
  const columns = changes
    .filter((change) => OF_COLUMNS.test(change))
    .map((change) => change.replace(/ CODEC\(.*\)$/, ''));
  return [
    `ALTER TABLE ${name}_local ${everywhere} ${changes.join(', ')}`,
    ...(columns.length > 0 ? [`ALTER TABLE ${name} ${everywhere} ${columns.join(', ')}`] : []),
  ];
}

const A_CHANGE = /^(?:ADD|DROP|MODIFY|ALTER|RENAME|COMMENT|CLEAR|MATERIALIZE|REMOVE|RESET) \w+/;

/** Settings are a list within the list. */
function withSettings(changes: readonly string[]): string[] {
  const whole: string[] = [];
  for (const change of changes) {
    const isSetting = /^\w+ = /.test(change) && whole.at(-1)?.startsWith('MODIFY SETTING ');
    if (isSetting) whole.push(`${whole.pop()}, ${change}`);
    else whole.push(change);
  }
  return whole;
}

/** The list of an ALTER without its comments, cut at the commas that stand in no parentheses. */
function commands(list: string): string[] {
  const cut = [''];
  let depth = 0;
  for (const character of list.replace(/^\s*--.*$/gm, '')) {
    depth += character === '(' ? 1 : character === ')' ? -1 : 0;
    if (character === ',' && depth === 0) cut.push('');
    else cut[cut.length - 1] += character;
  }
  return cut.map((command) => command.trim());
}

const tableNames = (): ReadonlySet<string> => new Set(tables().keys());

/** Throws an Error when no migration makes such a table. */
function statementOf(table: string): string {
  const statement = tables().get(table);
  if (statement === undefined) throw new Error(`no migration makes the table ${table}`);
  return statement;
}

/** Each with the statement that makes it. */
function tables(): ReadonlyMap<string, string> {
  const statements = [RECORD, ...migrations().flatMap((file) => file.statements)].map(withoutHead);
  const made = statements.map((statement) => [CREATE_TABLE.exec(statement)?.[1], statement] as const);
  return new Map(made.filter((each): each is readonly [string, string] => each[0] !== undefined));
}
