// What the practice provider says, and how long it is in tokens.

import type { Behaviour, ReceivedRequest } from './behaviour.ts';

const BYTES_PER_TOKEN = 4;
const USUAL_ANSWER = 'This is a practice answer. No model was asked and nothing was billed.';

export const tokensOf = (bytes: number): number => Math.ceil(bytes / BYTES_PER_TOKEN);

export interface Said {
  readonly text: string;
  /** The text was cut at the request's limit. */
  readonly cut: boolean;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** The words of an answer, at most `outputTokensMax` of them, with their counts. */
export function say(request: ReceivedRequest, behaviour: Behaviour, outputTokensMax: number | null): Said {
  const wanted = behaviour.text ?? (behaviour.toolCalls ? '' : USUAL_ANSWER);
  const limit = behaviour.ignoresLimit ? null : outputTokensMax;
  const limitBytes = (limit ?? Number.MAX_SAFE_INTEGER) * BYTES_PER_TOKEN;
  const text = cutAt(wanted, limitBytes);
  const written = (behaviour.toolCalls ?? []).map((call) => call.name + call.arguments).join('');
  const output = Buffer.byteLength(text + (behaviour.thinking ?? '') + written);
  return {
    text,
    cut: text !== wanted,
    inputTokens: behaviour.usage?.input ?? tokensOf(request.body.length),
    outputTokens: behaviour.usage?.output ?? tokensOf(output),
  };
}

/** Whole characters only. */
function cutAt(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  let kept = '';
  let length = 0;
  for (const character of text) {
    length += Buffer.byteLength(character);
    if (length > bytes) break;
    kept += character;
  }
  return kept;
}

/** Pieces as a model streams them: a word each, with the space before it; or several. */
export function piecesOf(text: string, wordsEach = 1): string[] {
  const words = text.match(/\s*\S+|\s+$/g) ?? [];
  if (wordsEach === 1) return words;
  const pieces: string[] = [];
  for (let at = 0; at < words.length; at += wordsEach) pieces.push(words.slice(at, at + wordsEach).join(''));
  return pieces;
}

/** Pieces of a tool's arguments, cut anywhere. */
export const slicesOf = (text: string, length = 5): string[] => {
  const characters = [...text];
  const slices: string[] = [];
  for (let at = 0; at < characters.length; at += length)
    slices.push(characters.slice(at, at + length).join(''));
  return slices;
};
