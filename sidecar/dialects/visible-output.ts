// How many output tokens a visible text surely is, as it streams past: for providers that report usage only at the end.
// Tokenizers never join words across a space, and cut long ones; runs of one character (rules, indentation) can be a
// single token, so they count for next to nothing. A test holds this to two whole vocabularies.
//
//   "The  infrastructure ------ x = 国际"    counts The · infrastructure · x · 国际

import type { Json } from './dialect.ts';

export interface VisibleOutput {
  /** A piece of the text that `key` names; anything but a string is none. */
  take(text: Json | undefined, key?: string | number): void;
  /** Tokens, no more than were really made. */
  tokens(): number;
}

/** Letters of the longest token there is; of ideographs, kana and hangul half as many. */
const LETTERS_PER_TOKEN_MAX = 26;
/** Of the longest run that is one token (spaces, dashes). */
const CHARACTERS_PER_TOKEN_MAX = 128;
const FIRST_IDEOGRAPH = 0x2e80;
const SPACE = 0x20;
const NO_BREAK_SPACE = 0xa0;
const IDEOGRAPHIC_SPACE = 0x3000;

export function visibleOutput(): VisibleOutput {
  let words = 0;
  let characters = 0;
  /** Letters for which the present word may go on before it must be one token more; 0 between words. */
  let room = 0;
  let previous = 0;
  let current: string | number | undefined;

  return {
    take(text, key) {
      if (typeof text !== 'string') return;
      // Two texts by turns may each be in the middle of a word: what comes first is taken for its rest.
      if (key !== current && room === 0) room = LETTERS_PER_TOKEN_MAX;
      current = key;
      characters += text.length;
      for (let at = 0; at < text.length; at++) {
        const code = text.charCodeAt(at);
        if (code <= SPACE || code === NO_BREAK_SPACE || code === IDEOGRAPHIC_SPACE) room = 0;
        else if (code !== previous && isLetter(code)) {
          if (room <= 0) {
            words += 1;
            room = LETTERS_PER_TOKEN_MAX;
          }
          room -= code >= FIRST_IDEOGRAPH ? 2 : 1;
          if (room <= 0) room = -1;
        }
        previous = code;
      }
    },
    tokens: () => Math.max(words, Math.floor(characters / CHARACTERS_PER_TOKEN_MAX)),
  };
}

const isLetter = (code: number): boolean =>
  code >= 0x80 ||
  (code >= 0x61 && code <= 0x7a) ||
  (code >= 0x41 && code <= 0x5a) ||
  (code >= 0x30 && code <= 0x39);
