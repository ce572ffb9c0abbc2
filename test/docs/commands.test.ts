// What pages and alerts tell a reader to type is there: the command, its action, its flags. Whoever is woken by an alert
// must not be told to type something that does not exist.

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Command } from '../../cli/command.ts';

const ROOT = join(import.meta.dirname, '../..');
const SOURCES = globSync(['*.md', 'docs/**/*.md', 'alerts/*.yaml', 'outrider.yaml'], { cwd: ROOT }).sort();
const COMMANDS = new Set(
  globSync('cli/*.ts', { cwd: ROOT }).map((path) => path.slice('cli/'.length, -'.ts'.length)),
);

interface Typed {
  readonly line: string;
  readonly command: string;
  readonly words: readonly string[];
}

/** Each `outrider COMMAND …` between backticks, at the start of a line of code or of an alert's `next`. */
function typedIn(text: string): Typed[] {
  const lines = text.matchAll(/(?:`|^(?:next: )?(?:\$ |npx )?)outrider ([a-z][a-z-]*)\b([^`\n]*)/gm);
  return [...lines].map(([line, command = '', rest = '']) => ({
    line,
    command,
    words: rest.split(/ -- | #|"|'|;|\||&&/, 1)[0]!.split(' '),
  }));
}

async function unknownIn({ line, command, words }: Typed): Promise<string[]> {
  if (!COMMANDS.has(command)) return [line];
  const { help } = (await import(`../../cli/${command}.ts`)) as Command;
  const [action = ''] = words.filter((word) => word !== '');
  const asked = [
    ...(/^[a-z]+(-[a-z]+)*$/.test(action) ? [action] : []),
    ...words.filter((word) => /^--[a-z]/.test(word)),
  ];
  return asked.filter((word) => !help.includes(word)).map((word) => `${word} of ${line}`);
}

describe.each(SOURCES)('%s', (source) => {
  test('tells nobody to type what is not there', async () => {
    const typed = typedIn(readFileSync(join(ROOT, source), 'utf8'));
    expect((await Promise.all(typed.map(unknownIn))).flat()).toEqual([]);
  });
});

test('what is not there is found', async () => {
  const typed = typedIn(
    'next: outrider ask answer\n`outrider budgets lend --more`\n$ outrider budgets raises --json\n',
  );
  expect((await Promise.all(typed.map(unknownIn))).flat()).toEqual([
    'next: outrider ask answer',
    'lend of `outrider budgets lend --more',
    '--more of `outrider budgets lend --more',
  ]);
});
