// Every file of rows that stands in this folder: a dialect's owner adds one, and the test and the table have it.

import { readdirSync } from 'node:fs';
import type { AccountingRows } from './scenario.ts';

const FOLDER = new URL('./', import.meta.url);
const NOT_ROWS = new Set(['all-rows.ts', 'double.ts', 'scenario.ts', 'table.ts']);

/** By file name. */
export async function allRows(): Promise<readonly AccountingRows[]> {
  const files = readdirSync(FOLDER).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !NOT_ROWS.has(file),
  );
  const modules = files.toSorted().map((file) => import(new URL(file, FOLDER).href) as Promise<object>);
  return (await Promise.all(modules)).flatMap((module) => Object.values(module).filter(isRows));
}

const isRows = (value: unknown): value is AccountingRows =>
  typeof value === 'object' && value !== null && 'rows' in value && 'dialect' in value;
