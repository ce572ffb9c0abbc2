// A second reading of a statement's canonical text, apart from the tree: the tree leaves out what some statements hold
// (SHOW's conditions), and prints names as they are, line breaks and all.

import type { FunctionList } from './functions.ts';
import { judgeQuoted } from './names.ts';
import { pieces } from './pieces.ts';
import { unquoted } from './tail.ts';
import { WallRefusal } from './wall-refusal.ts';

/** SHOW lists by LIKE alone. `_` stands for anything quoted. */
const SHOW = new RegExp(
  [
    /^SHOW (?:EXTENDED )?(?:FULL )?(?:CHANGED )?(?:TEMPORARY )?/,
    /(?:TABLES|DATABASES|DICTIONARIES|COLUMNS|INDEXES|FUNCTIONS|SETTINGS)/,
    /(?: FROM [\w.]+){0,2}(?: (?:NOT )?I?LIKE _)?(?: LIMIT \d+)?$/,
  ]
    .map((part) => part.source)
    .join(''),
);

/** Throws WallRefusal. */
export function judgeWords(canonical: string, functions: FunctionList): void {
  let bare = '';
  let called = '';
  for (const { kind, text } of pieces(canonical)) {
    if (kind === 'name') judgeQuoted(unquoted(text), /^(EXISTS|SHOW)\b/.test(canonical));
    bare += kind === 'code' ? text : '_';
    called += kind === 'code' ? text : kind === 'name' ? ` ${nameless(text)}` : ' ';
  }
  if (/\bINTO\s+OUTFILE\b/i.test(bare)) throw new WallRefusal('INTO OUTFILE may not be used here');
  if (/^SHOW (?!CREATE )/.test(bare) && !SHOW.test(bare))
    throw new WallRefusal('SHOW may list with LIKE alone here; for more, SELECT from the tables of system');
  for (const [, name] of called.matchAll(/([A-Za-z_]\w*)\s*\(/g))
    if (!mayStand(name!, functions)) throw new WallRefusal(`The function ${name} may not be used here`);
}

/** Before a bracket: no function at all (`OVER (`), one that may be called, or an operator in capitals (`IN (`). */
function mayStand(name: string, functions: FunctionList): boolean {
  const known = functions.isKnown(name);
  return !known || functions.isTable(name) || functions.has(name) || functions.has(name.toLowerCase());
}

/** A quoted name as the word it is, or no word where it could not be a function's. */
function nameless(quotedName: string): string {
  const name = unquoted(quotedName);
  return /^\w+$/.test(name) ? name : '';
}
