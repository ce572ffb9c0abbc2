// One POST to somebody else's server: in time, without following redirects (a page is for that address alone), and with
// an answer that never repeats the URL, which may be the secret.

import type { Answer, Message } from '../alerts/message.ts';

const ANSWER_MS = 10_000;
const TEXT_CHARACTERS_MAX = 300;

export async function post({ url, headers, body }: Message): Promise<Answer> {
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers,
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    // What it says is for people: a page that was taken is not sent again because that could not be read.
    const text = await beginningOf(answer).catch(() => '');
    return { status: answer.status, text, retryAfterSeconds: secondsOf(answer.headers.get('retry-after')) };
  } catch (failure) {
    return { status: 0, text: whyNot(failure), retryAfterSeconds: null };
  }
}

async function beginningOf({ body }: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length >= TEXT_CHARACTERS_MAX) break;
  }
  return text.trim().slice(0, TEXT_CHARACTERS_MAX);
}

/** Seconds or an HTTP date (RFC 9110 § 10.2.3). */
function secondsOf(header: string | null): number | null {
  if (header === null) return null;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const atMs = Date.parse(header);
  return Number.isNaN(atMs) ? null : Math.max(0, (atMs - Date.now()) / 1000);
}

function whyNot(failure: unknown): string {
  if (failure instanceof Error && failure.name === 'TimeoutError')
    return `no answer within ${ANSWER_MS / 1000} s`;
  const cause = failure instanceof Error ? failure.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return `nobody answers${code && ` (${code})`}`;
}
