// What may stand behind a statement: FORMAT and SETTINGS. Both are taken off its canonical text before it is judged. The
// engine would apply settings while it explains the statement, and the tree it prints shows no setting's name.

import { type Piece, pieces } from './pieces.ts';

/** A setting's value as written: a number, a text, or texts by texts. */
export type Written = string | ReadonlyMap<string, string>;

export interface Cut {
  readonly body: string;
  /** What the FORMAT clause named, or null. */
  readonly format: string | null;
  readonly settings: ReadonlyMap<string, Written>;
}

/** What does not read as such a clause is left where it is, for the judge to meet. */
export function cutTail(canonical: string): Cut {
  const behind = cutSettings(canonical);
  const named = / FORMAT (\w+)$/.exec(behind.body);
  const before = cutSettings(named ? behind.body.slice(0, named.index) : behind.body);
  return {
    body: before.body,
    format: named?.[1] ?? null,
    settings: new Map([...before.settings, ...behind.settings]),
  };
}

/** A value that came apart from any statement: a map where it reads as one, else the text itself. */
export function settingValue(text: string): Written {
  return cutTail(`SETTINGS value = ${text}`).settings.get('value') ?? text;
}

interface Token extends Piece {
  readonly at: number;
}

function cutSettings(text: string): { body: string; settings: Map<string, Written> } {
  const tokens = [...tokensOf(text)];
  const from = tokens.findLastIndex((token) => token.kind === 'code' && token.text === 'SETTINGS');
  const settings = from < 0 ? null : readList(tokens.slice(from + 1));
  return settings
    ? { body: text.slice(0, tokens[from]!.at).trimEnd(), settings }
    : { body: text, settings: new Map() };
}

/** Words, numbers and single signs of the code between the quotes. */
function* tokensOf(text: string): Generator<Token> {
  let at = 0;
  for (const piece of pieces(text)) {
    if (piece.kind !== 'code') yield { ...piece, at };
    else
      for (const { 0: word, index } of piece.text.matchAll(/[\w.+-]+|\S/g))
        yield { kind: 'code', text: word, at: at + index };
    at += piece.text.length;
  }
}

/** `name = value, …`; null where it is anything else. */
function readList(tokens: readonly Token[]): Map<string, Written> | null {
  const settings = new Map<string, Written>();
  let at = 0;
  for (;;) {
    const [name, equals] = [tokens[at], tokens[at + 1]];
    if (name?.kind !== 'code' || !/^\w+$/.test(name.text) || equals?.text !== '=') return null;
    const value = readValue(tokens, at + 2);
    if (!value) return null;
    settings.set(name.text, value.value);
    at = value.next;
    if (at === tokens.length) return settings;
    if (tokens[at]!.text !== ',') return null;
    at += 1;
  }
}

function readValue(tokens: readonly Token[], at: number): { value: Written; next: number } | null {
  const token = tokens[at];
  if (token?.kind === 'string') return { value: unquoted(token.text), next: at + 1 };
  if (token?.kind !== 'code') return null;
  if (token.text === '{') return readMap(tokens, at + 1);
  return /^[\w.+-]+$/.test(token.text) ? { value: token.text, next: at + 1 } : null;
}

function readMap(tokens: readonly Token[], from: number): { value: Written; next: number } | null {
  const map = new Map<string, string>();
  for (let at = from; ; at += 4) {
    const [key, colon, value, end] = tokens.slice(at, at + 4);
    if (key?.kind !== 'string' || colon?.text !== ':' || value?.kind !== 'string') return null;
    map.set(unquoted(key.text), unquoted(value.text));
    if (end?.text === '}') return { value: map, next: at + 4 };
    if (end?.text !== ',') return null;
  }
}

const ESCAPED: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  '0': '\0',
  b: '\b',
  f: '\f',
};

/** The text that a literal of canonical SQL stands for. */
export function unquoted(literal: string): string {
  return literal.slice(1, -1).replace(/\\([\s\S])/g, (_, sign: string) => ESCAPED[sign] ?? sign);
}
