// Which names a stranger may write. In embedded mode a table that the engine does not know is a file: it takes the name for
// a path, follows globs (`{.,x}{.,x}/token` is `../token`) and tidies it before it looks (`no such/../../token`). So what
// names a table is made of words, and nothing that is looked up looks like a path.

import { WallRefusal } from './wall-refusal.ts';

const PATH = /^[/~.]|[./][/~]|\.\.|:\/\//;
/** The one glob that can write `..`; `*` and `?` come no higher than the folder, and stand in columns like `count(*)/s`. */
const CHOICE = /[{}]/;
const TABLE = /^[\p{L}\p{N}_ -]+(?:\.[\p{L}\p{N}_ -]+)*$/u;

/** A column, an alias, or a table after IN. Throws WallRefusal. */
export function judgeName(name: string): void {
  if (PATH.test(name) || (name.includes('/') && CHOICE.test(name)))
    throw new WallRefusal('A name that looks like a path may not be used here');
}

/** With its database before it, if it has one. Throws WallRefusal. */
export function judgeTable(name: string): void {
  if (!TABLE.test(name))
    throw new WallRefusal(
      'A table may only be named by letters, digits, _, - and blanks here, not by a path',
    );
}

/**
 * A quoted name as it stands in the text. The tree prints names raw: one that holds a line break, or what the tree itself
 * writes behind a name, would not be judged as what it is. EXISTS and SHOW print no tables at all: theirs are judged here.
 * Throws WallRefusal.
 */
export function judgeQuoted(name: string, isTable: boolean): void {
  if (/[\p{Cc}\u2028\u2029]/u.test(name))
    throw new WallRefusal('A name with a control character in it may not be used here');
  if (/\((?:alias|children)\b/.test(name))
    throw new WallRefusal('A name with "(alias" or "(children" in it may not be used here');
  if (isTable) judgeTable(name);
}
