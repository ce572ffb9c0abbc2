// A panel as data: which question of an operator it answers, how it is drawn, what it asks. build.ts makes Grafana's
// JSON of it.

export interface PanelSource {
  readonly title: string;
  /** The question it answers, and how to read the answer. */
  readonly asks: string;
  readonly draw: 'timeseries' | 'stacked' | 'stat' | 'table' | 'bars';
  /** Grafana's id of a unit. */
  readonly unit?: string;
  readonly queries: readonly QuerySource[];
  /** Green below the first, then yellow, then red. */
  readonly thresholds?: readonly [warning: number, critical: number];
  /** Red below it: for shares and switches that should be 1. */
  readonly redBelow?: number;
  /** Columns of a table: unit and link by name. */
  readonly columns?: Readonly<Record<string, Column>>;
}

export interface Column {
  readonly unit?: string;
  readonly link?: { readonly title: string; readonly url: string };
}

export type QuerySource = PromSource | SqlSource;

export interface PromSource {
  readonly from: 'prometheus';
  readonly expr: string;
  /** `{{label}}` in it is the label's value. */
  readonly legend: string;
  /** Only the last value is wanted. */
  readonly instant: boolean;
}

export interface SqlSource {
  readonly from: 'clickhouse';
  readonly sql: string;
  readonly shape: 'timeseries' | 'table';
}

export interface DashboardSource {
  /** Ends the uid `outrider-…` and the file's name. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly rows: readonly { readonly title: string; readonly panels: readonly PanelSource[] }[];
}

export const prom = (expr: string, legend = ''): PromSource => ({
  from: 'prometheus',
  expr,
  legend,
  instant: false,
});

export const now = (expr: string, legend = ''): PromSource => ({ ...prom(expr, legend), instant: true });

export const series = (sql: string): SqlSource => ({
  from: 'clickhouse',
  sql: tidy(sql),
  shape: 'timeseries',
});

export const table = (sql: string): SqlSource => ({ from: 'clickhouse', sql: tidy(sql), shape: 'table' });

/** A Grafana variable as it stands in a link or a query. */
export const variable = (name: string): string => `\${${name}}`;

/** From a row that has a trace to that trace in the console. */
export const TRACE_LINK = {
  title: 'This trace in the console',
  url: `${variable('console')}/#/trace/${variable('__data.fields.trace')}`,
};

/** Of the picked agents and departments. */
export function pickedIn(table: string): string {
  return `${pickedAgent(table)} AND $__conditionalAll(${table}.department IN (${variable('department:singlequote')}), $department)`;
}

/** Of the picked agents. */
export function pickedAgent(table: string): string {
  return `$__conditionalAll(${table}.agent_id IN (${variable('agent:singlequote')}), $agent)`;
}

/**
 * Rollup rows in the picked time, of the picked agents and departments; the rollup is called `c`. It is the one by minute:
 * an hour's row carries the hour's start, and would be missing from a time that begins later.
 */
export const PICKED = `$__timeFilter(c.time) AND ${pickedIn('c')}`;

/** The same for `actions` and other tables of single rows, called `a`. */
export const PICKED_ACTIONS = `$__timeFilter(a.timestamp) AND ${pickedIn('a')}`;

/** The same for `tasks`, by their last call, called `t`. */
export const PICKED_TASKS = `t.last_call >= $__fromTime AND t.last_call <= $__toTime AND ${pickedIn('t')}`;

/** Without the indentation of the source it stands in. */
function tidy(sql: string): string {
  const lines = sql.split('\n').filter((line) => line.trim() !== '');
  const indent = Math.min(...lines.map((line) => line.search(/\S/)));
  return lines.map((line) => line.slice(indent)).join('\n');
}
