// Every mistake a file can hold, as data: the whole list of problems, each with its place, and no secret in any of them.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../contract/config/parse.ts';
import { ConfigError, formatProblem } from '../../../contract/config/problems.ts';

interface Case {
  readonly id: string;
  readonly yaml: string;
  /** All of them, in order. */
  readonly problems?: readonly string[];
  readonly contains?: readonly string[];
  readonly count?: number;
  readonly never?: string;
}

const cases = readFileSync(new URL('../../cases/config-mistakes.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Case);

async function problemsIn(yaml: string): Promise<readonly string[]> {
  try {
    await parseConfig([{ file: 'c.yaml', text: yaml }]);
    return [];
  } catch (failure) {
    if (failure instanceof ConfigError) return failure.problems.map(formatProblem);
    throw failure;
  }
}

describe('a configuration with mistakes', () => {
  it.each(cases)('$id', async ({ yaml, problems, contains, count, never }) => {
    const found = await problemsIn(yaml);
    expect(found).not.toHaveLength(0);
    if (problems) expect(found).toEqual(problems);
    for (const text of contains ?? []) expect(found.join('\n')).toContain(text);
    if (count !== undefined) expect(found).toHaveLength(count);
    if (never !== undefined) expect(found.join('\n')).not.toContain(never);
  });

  it('is refused quickly however deep it nests', async () => {
    for (const bomb of ['['.repeat(100_000), `a: ${'{a: '.repeat(5000)}`, '- '.repeat(20_000)]) {
      expect(await problemsIn(bomb)).not.toHaveLength(0);
    }
  });
});
