// What loading is the same for every signal:
//
//   segment -> request -> resource -> scope -> item -> its fields -> columns       (inside out, a subquery each)
//
// What is changed on the way, and why:
// - attributes named `outrider.*` are dropped of whoever's records do not count (senders.ts): only a sidecar may speak of verdicts and money;
// - a time more than 90 days before, or a day after, the request came is a broken clock and becomes the time it came.
//   90 days is the longest a sidecar's journal may wait for us, and keeps one insert below 100 daily partitions.
//
// Most of a small load's time is the engine's analysis of this text, and it grows with the length of the types in play:
// hence each step takes what it needs out of the nested tuples, and expressions see plain columns.

import { CHAINS_ATTRIBUTE } from '../../contract/attributes.ts';
import { foreignSql } from '../senders.ts';
import { attributeMap } from './attribute-sql.ts';
import { array, attributes, segmentColumns, tuple } from './otlp-schema.ts';
import { quoted } from './sql-text.ts';

/** Where a statement finds a segment's bytes: in a file that the store can read, or behind its own text in the request. */
export type Source = { readonly from: 'file'; readonly path: string } | { readonly from: 'body' };

/** How the items of one table come out of a segment. */
export interface Load {
  readonly table: string;
  /** Of the requests, as protobuf. */
  readonly schema: string;
  /** The table's columns, each as an expression over what `rows` gives. */
  readonly columns: Readonly<Record<string, string>>;
  /** A query over the segment: one row an item. */
  rows(source: Source): string;
  /** Its rows stay when the segment is refused: they name none. */
  readonly isShared?: true;
  /** Which of them are kept; all, if it is not there. */
  readonly where?: string;
}

const CLAMP_PAST = 'toUInt64(90 * 86400 * 1000000000)';
const CLAMP_FUTURE = 'toUInt64(86400 * 1000000000)';

export const lowerHex = (bytes: string): string => `lower(hex(${bytes}))`;
export const nanoTime = (nanoseconds: string): string =>
  `fromUnixTimestamp64Nano(toInt64(${nanoseconds}), 'UTC')`;
/** A time that decides on the partition, nanoseconds. `received` must stand beside it. */
export const clamped = (at: string): string =>
  `if(${at} + ${CLAMP_PAST} < received OR ${at} > received + ${CLAMP_FUTURE}, received, ${at})`;

export const SERVICE_NAME = "resource['service.name']";
/** When it came, and from whom. */
export const STAMP = { ReceivedAt: nanoTime('received'), Sender: 'sender' };

const REQUEST = 'sender, foreign, received';

type Expressions = Readonly<Record<string, string>>;

/** Which links of which chains came with it is in the log's leaf, and of no use beside each span. */
const resourceMap = (list: string): string =>
  `mapFilter((name, value) -> name != ${quoted(CHAINS_ATTRIBUTE)}, ${attributeMap(list)})`;

/** The way from a request down to its items, by the names of the protobuf fields. */
export interface ItemPath {
  /** What a request repeats, e.g. `resource_spans`. */
  readonly parts: string;
  /** What stands in such a part beside its resource, and is wanted. */
  readonly partColumns: readonly string[];
  /** What a part repeats, e.g. `scope_spans`, and its ClickHouse type. */
  readonly scopes: string;
  readonly scopesType: string;
  /** What a scope repeats, e.g. `spans`. */
  readonly items: string;
  /** Taken from `part`, from `scope`, and from `item`. */
  readonly ofPart: Expressions;
  readonly ofScope: Expressions;
  readonly fields: Expressions;
}

const aliased = (expressions: Expressions) =>
  Object.entries(expressions).map(([name, expression]) => `${expression} AS ${name}`);
const list = (...columns: readonly string[]) => columns.join(', ');

/** One row an item: its fields, beside `resource`, `sender`, `foreign` and `received`. */
export function itemsOf(source: Source, to: ItemPath): string {
  const part = array(`resource ${tuple(attributes())}`, `${to.scopes} ${to.scopesType}`, ...to.partColumns);
  const columns = segmentColumns(`${to.parts} ${part}`);
  const outer = list(REQUEST, 'resource', ...Object.keys(to.ofPart));
  return `
  SELECT ${list(outer, ...Object.keys(to.ofScope), ...aliased(to.fields))}
  FROM (
    SELECT ${list(outer, ...aliased(to.ofScope))}, arrayJoin(scope.${to.items}) AS item
    FROM (
      SELECT ${list(REQUEST, ...Object.keys(to.ofPart))}, ${resourceMap('own')} AS resource, arrayJoin(scopes) AS scope
      FROM (
        SELECT ${list(REQUEST, ...aliased(to.ofPart))}, part.resource.attributes AS own, part.${to.scopes} AS scopes
        FROM (
          SELECT receipt.sender AS sender, ${foreignSql('sender')} AS foreign, receipt.received_at_unix_nano AS received,
            arrayJoin(${to.parts}) AS part
          FROM ${requestsOf(source, columns)}
        )
      )
    )
  )`;
}

/** One row a request. */
const requestsOf = (source: Source, columns: string): string =>
  source.from === 'file'
    ? `file(${quoted(source.path)}, 'Protobuf', ${quoted(columns)})`
    : `input(${quoted(columns)})`;
