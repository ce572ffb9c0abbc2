// A body with what looks secret or personal masked, by simple rules (docs/dead-letters.md). It is for reading: what
// was masked is gone, so it can't be replayed. No rule finds everything; who must be sure keeps no bodies.

const SECRET_NAME =
  /pass(?:word|phrase|wd)?$|secret|token|credential|authorization|api[-_]?key|private[-_]?key|cookie/i;
/** One that is only digits and punctuation stands for a card, an account or a telephone. */
const TEXT_RULES: readonly (readonly [pattern: RegExp, mask: string])[] = [
  [/[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}/g, '[email]'],
  [/\b(?:sk|pk|rk|xox[a-z]|gh[a-z]|glpat|AKIA|AIza|eyJ)[-_A-Za-z0-9.]{12,}/g, '[secret]'],
  [/\b(?=[A-Za-z_-]*\d)(?=[\d_-]*[A-Za-z])[A-Za-z0-9_-]{32,}\b/g, '[secret]'],
  [/(?<![\w.])\+?\d(?:[ -]?\d){8,18}(?![\w.])/g, '[number]'],
];

/** `password=…`, as in a form or a url. */
const PAIR = /(^|[&?\s])([^=&?\s]{1,128})=([^&\s]+)/g;
/** What lies deeper is for nobody to read, and nothing may be nested without an end. */
const DEPTH_MAX = 64;

/** Null where the bytes are no text. */
export function redacted(body: Buffer): Buffer | null {
  const text = body.toString();
  return text.includes('�') ? null : Buffer.from(maskedWithin(text, 0));
}

/** JSON within a string of JSON is how models are told of tools' arguments, and name them. */
function maskedWithin(text: string, depth: number): string {
  if (!/^\s*[[{"]/.test(text)) return maskedText(text);
  try {
    return JSON.stringify(masked(JSON.parse(text), depth));
  } catch (failure) {
    if (failure instanceof SyntaxError) return maskedText(text);
    throw failure;
  }
}

function masked(value: unknown, depth: number): unknown {
  if (depth > DEPTH_MAX) return '[too deep]';
  if (typeof value === 'string') return maskedWithin(value, depth + 1);
  if (typeof value === 'number') return maskedNumber(value);
  if (Array.isArray(value)) return value.map((member) => masked(member, depth + 1));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      SECRET_NAME.test(name) && typeof member !== 'number' ? '[secret]' : masked(member, depth + 1),
    ]),
  );
}

function maskedNumber(value: number): number | string {
  const text = String(value);
  const shown = maskedText(text);
  return shown === text ? value : shown;
}

export const maskedText = (text: string): string =>
  TEXT_RULES.reduce((so, [pattern, mask]) => so.replace(pattern, mask), text.replace(PAIR, maskedPair));

const maskedPair = (pair: string, before: string, name: string): string =>
  SECRET_NAME.test(name) ? `${before}${name}=[secret]` : pair;
