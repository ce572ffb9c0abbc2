// A rule that cannot stand: malformed, or such that it could never match. One sentence, shown where the rule was typed.

export class RuleError extends Error {
  override name = 'RuleError';
  readonly suggestion: string | undefined;

  constructor(message: string, suggestion?: string) {
    super(message);
    this.suggestion = suggestion;
  }
}
