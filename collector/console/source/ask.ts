// Asks the control API, with the session's cookie. What it says no to becomes one sentence.

/** `status` is 0 when nobody answered. */
export class AskFailed extends Error {
  override name = 'AskFailed';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Throws AskFailed. */
export async function ask<T>(path: string, method = 'GET'): Promise<T> {
  const answer = await fetch(path, { method, cache: 'no-store' }).catch(() => {
    throw new AskFailed(0, 'The collector does not answer.');
  });
  if (answer.ok) return (await answer.json()) as T;
  throw new AskFailed(answer.status, await sentenceOf(answer));
}

async function sentenceOf(answer: Response): Promise<string> {
  try {
    const { error } = (await answer.json()) as { error?: { message?: string } };
    if (error?.message) return error.message;
  } catch {
    // Not JSON, so not the collector's own words: said below.
  }
  return `The collector answered ${answer.status}.`;
}
