// The list of all cases of hostile input that this project is held to, index.jsonl: each is tested where its line says,
// or its line says in one sentence why it is met otherwise. No case can get lost, and no file can drop one unnoticed.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

interface IndexLine {
  readonly id: string;
  /** Files that hold the id. */
  readonly where?: readonly string[];
  /** Why our answer is another than the one the case expects. */
  readonly instead?: string;
}

/** How many cases each family has: numbered on from the first, without a gap. */
const FAMILIES = {
  SSRF: [1, 40],
  AUTH: [1, 26],
  SMUG: [0, 44],
  PATH: [1, 22],
  BODY: [1, 30],
  SSE: [1, 14],
  DOS: [1, 20],
  TLS: [1, 16],
  CRED: [1, 14],
  BUD: [1, 30],
  CB: [1, 22],
  COL: [1, 32],
  AUD: [1, 10],
} as const;

const ALL = Object.entries(FAMILIES).flatMap(([family, [first, last]]) =>
  Array.from({ length: last - first + 1 }, (_, at) => `${family}-${String(first + at).padStart(2, '0')}`),
);

const ROOT = new URL('../../', import.meta.url);
const INDEX = readFileSync(new URL('index.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as IndexLine);

/** Also of `SMUG-04/05` and `SSRF-23, 24`. */
function idsIn(text: string): Set<string> {
  const ids = new Set<string>();
  for (const [, family, numbers] of text.matchAll(/\b([A-Z]{2,4})-(\d\d(?:(?:\/|, )\d\d\b)*)/g))
    for (const number of numbers!.split(/\/|, /)) ids.add(`${family}-${number}`);
  return ids;
}

describe('the index of cases', () => {
  it('has one line for each, in order', () => {
    expect(INDEX.map(({ id }) => id)).toEqual(ALL);
  });

  const held = new Map<string, Set<string>>();
  const idsOf = (file: string): Set<string> => {
    const known = held.get(file) ?? idsIn(readFileSync(new URL(file, ROOT), 'utf8'));
    held.set(file, known);
    return known;
  };

  it.each(INDEX)('$id is tested where its line says, or says why not', ({ id, where, instead }) => {
    expect(where ?? instead).toBeTruthy();
    for (const file of where ?? []) expect(idsOf(file), file).toContain(id);
    if (instead !== undefined) expect(instead).toMatch(/^\w.{10,}$/);
  });
});
