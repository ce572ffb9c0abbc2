// The structure that the table function `values` takes as text: `a UInt8, b Array(Tuple(c String))`. The engine would
// also take DEFAULT, ALIAS and their like in it, whose expressions no tree shows: only names and known types pass.

const STRUCTURE_LENGTH_MAX = 10_000;
const TOKEN = /\s*([A-Za-z_]\w*|-?\d+|'[^'\\]*'|[(),=])/y;

/** Whether the text names columns and types and nothing more. `isType` knows the engine's type names. */
export function isPlainStructure(text: string, isType: (name: string) => boolean): boolean {
  const tokens = text.length > STRUCTURE_LENGTH_MAX ? null : tokensOf(text.trimEnd());
  if (!tokens) return false;
  const reader = { tokens, at: 0, isType };
  return readList(reader, readColumn) && reader.at === tokens.length;
}

function tokensOf(text: string): string[] | null {
  const tokens: string[] = [];
  for (let at = 0; at < text.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text)?.[1];
    if (token === undefined) return null;
    tokens.push(token);
  }
  return tokens;
}

interface Reader {
  readonly tokens: readonly string[];
  at: number;
  readonly isType: (name: string) => boolean;
}

type Read = (reader: Reader) => boolean;

/** Steps over the next token if it looks so. */
function take(reader: Reader, look: RegExp): boolean {
  const taken = look.test(reader.tokens[reader.at] ?? '');
  if (taken) reader.at += 1;
  return taken;
}

const WORD = /^[A-Za-z_]/;
const NUMBER = /^-?\d/;

function readList(reader: Reader, each: Read): boolean {
  do {
    if (!each(reader)) return false;
  } while (take(reader, /^,$/));
  return true;
}

const readColumn: Read = (reader) => take(reader, WORD) && readType(reader);

function readType(reader: Reader): boolean {
  if (!reader.isType(reader.tokens[reader.at] ?? '')) return false;
  reader.at += 1;
  if (!take(reader, /^\($/) || take(reader, /^\)$/)) return true;
  return readList(reader, readArgument) && take(reader, /^\)$/);
}

/** A number, a text, a name of an enumeration with its number, a type, or a column within a tuple. */
function readArgument(reader: Reader): boolean {
  if (take(reader, NUMBER)) return true;
  if (take(reader, /^'/)) return !take(reader, /^=$/) || take(reader, NUMBER);
  return WORD.test(reader.tokens[reader.at + 1] ?? '') ? readColumn(reader) : readType(reader);
}
