// One line of the comparison: something that happened, and what was recorded of it.

export interface Finding {
  readonly about: string;
  /** What happened, from outside Outrider. */
  readonly happened: string;
  readonly recorded: string;
  readonly ok: boolean;
}

export const line = (about: string, happened: unknown, recorded: unknown): Finding => ({
  about,
  happened: String(happened),
  recorded: String(recorded),
  ok: String(happened) === String(recorded),
});
