// A mistake in a configuration: where it stands, what is wrong, what was probably meant. Mistakes are collected, never
// thrown one by one: an operator fixes a file once, not once per mistake.

export interface Place {
  readonly file: string;
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
}

export interface Problem extends Place {
  /** One sentence without its full stop. It never holds the text of a secret. */
  readonly message: string;
  /** The closest valid word, ready to be typed. */
  readonly suggestion?: string;
}

/** Everything that is wrong with the files, at once. */
export class ConfigError extends Error {
  override name = 'ConfigError';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(formatProblem).join('\n'));
    this.problems = problems;
  }
}

export function problemAt(place: Place, message: string, suggestion?: string): Problem {
  const { file, line, column } = place;
  return suggestion === undefined
    ? { file, line, column, message }
    : { file, line, column, message, suggestion };
}

/** `outrider.yaml:12:5: unknown key "budget" (did you mean "budgets"?)`. */
export function formatProblem({ file, line, column, message, suggestion }: Problem): string {
  const hint = suggestion === undefined ? '' : ` (did you mean "${suggestion}"?)`;
  return `${file}:${line}:${column}: ${message}${hint}`;
}

/** Sorted by file, in the order the files were read, then by line and column. */
export function sortProblems(problems: readonly Problem[], files: readonly string[]): Problem[] {
  const order = new Map(files.map((file, index) => [file, index]));
  const rank = (file: string) => order.get(file) ?? files.length;
  return [...problems].sort((a, b) => rank(a.file) - rank(b.file) || a.line - b.line || a.column - b.column);
}
