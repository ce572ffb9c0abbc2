// Which settings a statement runs with: the client's own, from the URL and from the statement's end, as far as they only
// lower a limit or say how output looks. In the URL what may not be set is dropped without a word, as ClickHouse's
// clients expect; in a statement it is refused, for there someone wrote it on purpose.

import { quoted } from '../sql-text.ts';
import { SETTINGS } from './allowed.ts';
import type { EngineLimits } from './messages.ts';
import { settingValue, type Written } from './tail.ts';
import { WallRefusal } from './wall-refusal.ts';

/** A filter that the engine adds to every read of a table, by the table's name; each is an expression of SQL. */
const FILTERS = 'additional_table_filters';

export interface SettingsAsked {
  readonly inUrl: ReadonlyMap<string, string>;
  readonly inStatement: ReadonlyMap<string, Written>;
}

/**
 * Assignments as SQL. `judged` judges one expression and gives it back as it may run.
 * Throws WallRefusal, and what `judged` throws.
 */
export async function settingsKept(
  asked: SettingsAsked,
  limits: EngineLimits,
  judged: (expression: string) => Promise<string>,
): Promise<string[]> {
  const kept = new Map<string, string>();
  for (const [name, value] of asked.inUrl) {
    const allowed = ruled(name, value, limits);
    if (allowed) kept.set(name, allowed.sql);
    if (name === FILTERS) kept.set(name, await filters(settingValue(value), judged));
  }
  for (const [name, value] of asked.inStatement)
    kept.set(name, name === FILTERS ? await filters(value, judged) : own(name, value, limits));
  return [...kept].map(([name, sql]) => `${name} = ${sql}`);
}

function own(name: string, value: Written, limits: EngineLimits): string {
  const allowed = typeof value === 'string' ? ruled(name, value, limits) : null;
  if (!allowed || allowed.isLess)
    throw new WallRefusal(`The setting ${name} may not be set to that in a statement here`);
  return allowed.sql;
}

/** Null where it may not be set so; `isLess` where the door's own limit stands instead of the value. */
function ruled(name: string, value: string, limits: EngineLimits): { sql: string; isLess: boolean } | null {
  const rule = SETTINGS.get(name);
  if (!rule) return null;
  if (rule.among) return rule.among.includes(value) ? { sql: quoted(value), isLess: false } : null;
  if (rule.like && !rule.like.test(value)) return null;
  if (rule.most === undefined) return { sql: quoted(value), isLess: false };
  const most = typeof rule.most === 'number' ? rule.most : limits[rule.most];
  const wished = Number(value);
  const isLimit = (rule.inParts ? Number.isFinite(wished) : Number.isSafeInteger(wished)) && wished > 0;
  if (isLimit && wished <= most) return { sql: String(wished), isLess: false };
  return most === Number.MAX_SAFE_INTEGER ? null : { sql: String(most), isLess: true };
}

async function filters(value: Written, judged: (expression: string) => Promise<string>): Promise<string> {
  if (typeof value === 'string') throw new WallRefusal(`${FILTERS} is written {'table': 'condition'} here`);
  const entries: string[] = [];
  for (const [table, condition] of value)
    entries.push(`${quoted(table)}: ${quoted(await judged(condition))}`);
  return `{${entries.join(', ')}}`;
}
