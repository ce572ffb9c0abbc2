// What must be true. A false one is a programmer's mistake and crashes the call loudly.

export class InvariantError extends Error {
  override name = 'InvariantError';
}

export function invariant(condition: unknown, sentence: string): asserts condition {
  if (!condition) throw new InvariantError(sentence);
}
