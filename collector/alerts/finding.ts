// What a query or a figure found: one thing that may be wrong, named by a key that stays the same as long as it does.

import type { Incident } from '../../contract/alert.ts';
import { agentNamed, type Config } from '../../contract/config/config.ts';
import { formatDollars } from '../../contract/money.ts';
import type { AlertDefinition, Unit } from './definition.ts';

export type Finding = Pick<Incident, 'key' | 'agent' | 'task' | 'owner' | 'value' | 'details'>;

export type Row = Readonly<Record<string, unknown>>;

/** More of one alert at a time would tell nobody more. */
export const FINDINGS_MAX = 500;
const KEY_CHARACTERS_MAX = 1_000;
const DETAIL_CHARACTERS_MAX = 500;
const OWN_COLUMNS = new Set(['key', 'agent', 'task', 'owner', 'value']);

/** A row as a finding; rows without a key or with a value that is no number are left out. */
export function findingOf(row: Row): Finding[] {
  const value = Number(row.value);
  const key = textOf(row.key).slice(0, KEY_CHARACTERS_MAX).toWellFormed();
  if (key === '' || !Number.isFinite(value)) return [];
  const details: Record<string, string> = {};
  for (const [column, cell] of Object.entries(row)) {
    if (!OWN_COLUMNS.has(column))
      details[column] = textOf(cell).slice(0, DETAIL_CHARACTERS_MAX).toWellFormed();
  }
  return [
    { key, value, agent: textOf(row.agent), task: textOf(row.task), owner: textOf(row.owner), details },
  ];
}

/** Those that pass their threshold; with `steps`, one for each step that is reached. Owners are filled in. */
export function overThreshold(
  definition: AlertDefinition,
  found: readonly Finding[],
  config: Config,
  pace: number,
): Finding[] {
  const over: Finding[] = [];
  for (const finding of found) {
    const owned = { ...finding, owner: finding.owner || ownerOf(config, finding.agent) };
    if (definition.steps) {
      for (const step of definition.steps) {
        if (finding.value >= step) over.push({ ...owned, key: `${finding.key} at ${percent(step)}` });
      }
      continue;
    }
    const threshold = thresholdFor(definition, finding.agent, config, pace);
    if (finding.value > threshold || (definition.at_least && finding.value === threshold)) over.push(owned);
    if (over.length === FINDINGS_MAX) break;
  }
  return over;
}

function thresholdFor(definition: AlertDefinition, agent: string, config: Config, pace: number): number {
  const { threshold, threshold_from } = definition;
  if (threshold_from === undefined) return threshold;
  const entry = agentNamed(config, agent);
  if (threshold_from === 'expected_task')
    return (threshold * (entry?.expectedTaskMs ?? Infinity)) / 1000 / pace;
  const limits = (entry?.taskBudgets ?? [])
    .filter(({ unit }) => unit === 'nanodollars')
    .map(({ limit }) => limit);
  return limits.length === 0 ? threshold : Math.min(...limits.map((limit) => Number(limit) / 1e9));
}

const ownerOf = (config: Config, agent: string): string => agentNamed(config, agent)?.owner ?? '';

/** `{column}` and `{value}` put into the text; what is not known stays a dash. */
export function filled(text: string, finding: Finding, unit: Unit): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => wordOf(name, finding, unit) || '–');
}

function wordOf(
  name: string,
  { agent, task, owner, value, details }: Finding,
  unit: Unit,
): string | undefined {
  if (name === 'value') return shown(value, unit);
  if (name === 'agent') return agent;
  if (name === 'task') return task;
  if (name === 'owner') return owner;
  return details[name];
}

export function shown(value: number, unit: Unit): string {
  switch (unit) {
    case 'dollars':
      return formatDollars(BigInt(Math.round(value * 100)) * 10_000_000n);
    case 'ratio':
      return percent(value);
    case 'seconds':
      return period(value);
    case 'times':
      return value.toFixed(1);
    case 'count':
      return Math.round(value).toLocaleString('en-US');
  }
}

const percent = (ratio: number): string => `${Math.round(ratio * 100)} %`;

function period(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Postgres takes neither control characters nor half a surrogate pair, and an agent may put both into a task's name. */
export function textOf(cell: unknown): string {
  if (cell === null || cell === undefined) return '';
  if (Array.isArray(cell)) return cell.map(textOf).join(', ');
  const text = typeof cell === 'object' ? JSON.stringify(cell) : String(cell);
  return text.toWellFormed().replace(/\p{Cc}/gu, '\uFFFD');
}
