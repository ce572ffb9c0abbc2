// What an upstream said of its own failure, in its own words, shortened: where the common shapes of errors have it.

import { ERROR_MESSAGE_CHARACTERS_MAX } from '../../contract/dead-letter.ts';

/** Empty where nothing can be read. */
export function errorMessageOf(body: Buffer): string {
  if (body.length === 0) return '';
  const text = body.toString();
  return shortened(messageIn(parsed(text)) ?? (text.trimStart().startsWith('<') ? '' : text));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // plain text, or cut off
  }
}

/** `{error: {message}}` of OpenAI, Anthropic, Gemini and JSON-RPC; `{message}` of Bedrock; `{detail}` of RFC 9457. */
function messageIn(value: unknown, depth = 0): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null || depth > DEPTH_MAX) return undefined;
  const { error, message, detail, title } = value as Readonly<Record<string, unknown>>;
  for (const member of [error, message, detail, title]) {
    const found = messageIn(member, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Nobody wraps an error more often. */
const DEPTH_MAX = 4;

const shortened = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, ERROR_MESSAGE_CHARACTERS_MAX);
