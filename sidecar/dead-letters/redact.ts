// A body with what looks secret or personal masked, by four simple rules (docs/dead-letters.md). It is for reading: what
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

/** Null where the bytes are no text. */
export function redacted(body: Buffer): Buffer | null {
  const text = body.toString();
  if (text.includes('�')) return null;
  try {
    return Buffer.from(JSON.stringify(masked(JSON.parse(text))));
  } catch (failure) {
    if (failure instanceof SyntaxError) return Buffer.from(maskedText(text));
    throw failure;
  }
}

function masked(value: unknown): unknown {
  if (typeof value === 'string') return maskedText(value);
  if (Array.isArray(value)) return value.map(masked);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      SECRET_NAME.test(name) && typeof member !== 'number' ? '[secret]' : masked(member),
    ]),
  );
}

const maskedText = (text: string): string =>
  TEXT_RULES.reduce((so, [pattern, mask]) => so.replace(pattern, mask), text);
