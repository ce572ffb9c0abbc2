// Cuts SQL text where ClickHouse's lexer would: quoted text, quoted names, comments and heredocs are one piece each, so
// that what stands between them can be read without being fooled. One pass, in time linear in the text: a stranger's
// statement comes here before anything has judged it.

export type PieceKind = 'string' | 'name' | 'comment' | 'heredoc' | 'placeholder' | 'code';

export interface Piece {
  readonly kind: PieceKind;
  readonly text: string;
}

/** Where something that is not code may begin. */
const OPENING = /['"`${]|--|#[ !]|\/\*/;
const KINDS: Readonly<Record<string, PieceKind>> = {
  "'": 'string',
  '"': 'name',
  '`': 'name',
  $: 'heredoc',
  '{': 'placeholder',
};

/** All of the text, in order. What is opened and never closed reaches to the end: the engine will refuse it. */
export function* pieces(text: string): Generator<Piece> {
  const heredocs = lastPlaces(text);
  const openings = new RegExp(OPENING, 'g');
  let codeFrom = 0;
  for (let opening = openings.exec(text); opening; opening = openings.exec(text)) {
    const at = opening.index;
    const end = endOf(text, at, opening[0], heredocs);
    openings.lastIndex = end;
    if (end === at + 1) continue; // it opened nothing
    if (at > codeFrom) yield { kind: 'code', text: text.slice(codeFrom, at) };
    yield { kind: KINDS[opening[0]] ?? 'comment', text: text.slice(at, end) };
    codeFrom = end;
  }
  if (codeFrom < text.length) yield { kind: 'code', text: text.slice(codeFrom) };
}

/** Just behind `at` where nothing is opened. */
function endOf(text: string, at: number, opening: string, heredocs: ReadonlyMap<string, number>): number {
  if (opening === '$') return heredocEnd(text, at, heredocs);
  if (opening === '{') return at + (matchAt(PLACEHOLDER, text, at)?.[0].length ?? 1);
  if (opening in KINDS) return quoteEnd(text, at, opening);
  const close = opening === '/*' ? '*/' : '\n';
  const found = text.indexOf(close, at + opening.length);
  if (found < 0) return text.length;
  return opening === '/*' ? found + close.length : found;
}

/** `{name:Type}`; the type may hold quotes: `{at:DateTime('UTC')}`. */
const PLACEHOLDER = /\{\s*\w+\s*:[^{}]*\}/y;
const TAG = /\$\w*\$/y;

function matchAt(sticky: RegExp, text: string, at: number): RegExpExecArray | null {
  sticky.lastIndex = at;
  return sticky.exec(text);
}

/** A quote inside is doubled or stands behind a backslash. */
function quoteEnd(text: string, at: number, quote: string): number {
  for (let i = at + 1; i < text.length; i++) {
    const character = text[i];
    if (character === '\\') i += 1;
    else if (character === quote) {
      if (text[i + 1] !== quote) return i + 1;
      i += 1;
    }
  }
  return Math.max(text.length, at + 2);
}

function heredocEnd(text: string, at: number, heredocs: ReadonlyMap<string, number>): number {
  const tag = matchAt(TAG, text, at)?.[0];
  if (tag === undefined) return at + 1;
  const body = at + tag.length;
  // Looked for only where it is known to be, or many tags would each search the whole text in vain.
  return (heredocs.get(tag) ?? -1) < body ? at + 1 : text.indexOf(tag, body) + tag.length;
}

/** The last place of each heredoc's tag; tags may share a `$`. */
function lastPlaces(text: string): Map<string, number> {
  const places = new Map<string, number>();
  for (const { 1: tag, index } of text.matchAll(/(?=(\$\w*\$))/g)) places.set(tag!, index);
  return places;
}
