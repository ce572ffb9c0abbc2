// Every file of rows that stands in this folder: a dialect's owner adds one, and the test and the table have it.

import { readdirSync } from 'node:fs';
import type { AccountingRows } from './scenario.ts';

const FOLDER = new URL('./', import.meta.url);
const NOT_ROWS = new Set(['all-rows.ts', 'double.ts', 'scenario.ts', 'table.ts']);

/** By title: in which order a module lists what it exports is its loader's choice. */
export async function allRows(): Promise<readonly AccountingRows[]> {
  const files = readdirSync(FOLDER).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !NOT_ROWS.has(file),
  );
  const modules = files.map((file) => import(new URL(file, FOLDER).href) as Promise<object>);
  const rows = (await Promise.all(modules)).flatMap((module) => Object.values(module).filter(isRows));
  return rows.toSorted((a, b) => (a.title < b.title ? -1 : 1));
}

const isRows = (value: unknown): value is AccountingRows =>
  typeof value === 'object' && value !== null && 'rows' in value && 'dialect' in value;
