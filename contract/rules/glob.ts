// `*` in names and paths. Patterns are cut at their stars once, and matching looks for the pieces from left to right:
// no regular expression, so no pattern and no target can make it slow.

export type Matcher = (text: string) => boolean;

/**
 * `*` stands for any run of characters, `/` included; alone it wants at least one. For names: models, tools, skills.
 * `claude-haiku-4-5*` matches `claude-haiku-4-5` itself too.
 */
export function compileName(pattern: string): Matcher {
  const pieces = pattern.split(/\*+/);
  if (pieces.length === 1) return (text) => text === pattern;
  const first = pieces[0]!;
  const last = pieces.at(-1)!;
  const middle = pieces.slice(1, -1);
  const least = Math.max(1, first.length + last.length);
  return (text) => {
    if (text.length < least || !text.startsWith(first) || !text.endsWith(last)) return false;
    return inOrder(middle, text, first.length, text.length - last.length);
  };
}

/**
 * A path: `*` is (or stands inside) one segment and never crosses a `/`; `/**` at the end is whatever follows, even
 * nothing after the slash. A segment is never empty, but for the one after a closing slash.
 */
export function compilePath(pattern: string): Matcher {
  const rest = pattern.endsWith('/**');
  const fixed = rest ? pattern.slice(0, -2) : pattern;
  if (!fixed.includes('*')) return rest ? (path) => path.startsWith(fixed) : (path) => path === fixed;
  const segments = fixed.split('/').map((segment) => compileName(segment));
  return (path) => {
    const found = path.split('/');
    if (rest ? found.length < segments.length : found.length !== segments.length) return false;
    const judged = rest ? segments.slice(0, -1) : segments;
    return judged.every((matches, index) => matches(found[index]!));
  };
}

/** Leftmost places for all pieces between `start` and `end`: if any placing exists, this one does. */
function inOrder(pieces: readonly string[], text: string, start: number, end: number): boolean {
  let from = start;
  for (const piece of pieces) {
    const at = text.indexOf(piece, from);
    if (at < 0 || at + piece.length > end) return false;
    from = at + piece.length;
  }
  return true;
}
