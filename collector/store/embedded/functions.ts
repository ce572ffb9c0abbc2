// Which functions only compute: asked of the engine once, by family, so that the list is always of the release that runs.
// So are all names of functions and types: what the engine does not know, it can't run.

import type { Session } from 'chdb';
import { FUNCTION_CATEGORIES, FUNCTIONS, TABLE_FUNCTIONS } from './allowed.ts';
import { run } from './engine.ts';

export interface FunctionList {
  /** Whether a stranger may call the function. */
  has(name: string): boolean;
  /** Whether a stranger may read from the table function. */
  isTable(name: string): boolean;
  /** Whether the engine has a function or a table function of that name, in any case. */
  isKnown(name: string): boolean;
  /** Whether the engine has a type of that name, in any case. */
  isType(name: string): boolean;
}

interface Row {
  readonly name: string;
  readonly alias_to: string;
  readonly is_aggregate: number;
  readonly case_insensitive: number;
  readonly categories: string;
}

export async function listFunctions(session: Session): Promise<FunctionList> {
  const rows = await ask<Row>(
    session,
    'SELECT name, alias_to, is_aggregate, case_insensitive, categories FROM system.functions',
  );
  const combinators = await ask<Named>(
    session,
    'SELECT name FROM system.aggregate_function_combinators ORDER BY length(name) DESC',
  );
  const tables = await ask<Named>(session, 'SELECT name FROM system.table_functions');
  const types = await ask<Named>(session, 'SELECT name FROM system.data_type_families');
  return createFunctionList(rows, combinators.map(nameOf), {
    known: new Set([...rows, ...tables].map((row) => row.name.toLowerCase())),
    types: new Set(types.map((row) => row.name.toLowerCase())),
  });
}

interface Named {
  readonly name: string;
}

const nameOf = ({ name }: Named) => name;

async function ask<T>(session: Session, statement: string): Promise<T[]> {
  const { bytes } = await run(session, statement, 'JSONEachRow');
  const lines = Buffer.from(bytes).toString('utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as T);
}

interface Names {
  readonly known: ReadonlySet<string>;
  readonly types: ReadonlySet<string>;
}

function createFunctionList(
  rows: readonly Row[],
  combinators: readonly string[],
  { known, types }: Names,
): FunctionList {
  const byName = new Map(rows.map((row) => [row.name, row]));
  const exact = new Set(FUNCTIONS);
  const anyCase = new Set<string>();
  const aggregates = new Set<string>();
  for (const row of rows) {
    const own = byName.get(row.alias_to) ?? row;
    if (!FUNCTIONS.has(own.name) && !computes(own)) continue;
    exact.add(row.name);
    if (row.case_insensitive) anyCase.add(row.name.toLowerCase());
    if (own.is_aggregate) aggregates.add(row.case_insensitive ? row.name.toLowerCase() : row.name);
  }

  /** `sumIf`, `uniqArrayMerge`: an aggregate function with combinators behind it. */
  function combined(name: string): boolean {
    if (aggregates.has(name) || aggregates.has(name.toLowerCase())) return true;
    return combinators.some((end) => name.endsWith(end) && combined(name.slice(0, -end.length)));
  }

  return {
    has: (name) => exact.has(name) || anyCase.has(name.toLowerCase()) || combined(name),
    isTable: (name) => TABLE_FUNCTIONS.has(name),
    isKnown: (name) => known.has(name.toLowerCase()),
    isType: (name) => types.has(name.toLowerCase()),
  };
}

const computes = (row: Row) =>
  row.categories !== '' &&
  row.categories.split(',').every((family) => FUNCTION_CATEGORIES.has(family.trim()));
