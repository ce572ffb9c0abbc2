// Text that nobody wrote: plain words in an order drawn from a seed, so that equal requests get equal answers and the
// bodies are as long as real ones.

const WORDS = (
  'the market report shows that small teams prefer tools which explain themselves and readers stay longer when ' +
  'a page answers one question well before it raises another so editors cut what repeats and keep what was measured ' +
  'because a claim without its source costs more trust than an empty line ever could while figures tables and quotes ' +
  'from people who did the work carry most of the weight in long articles about planning budgets and gardens'
).split(' ');

/** `count` words and a full stop now and then; about six bytes each. */
export function prose(count: number, seed: number): string {
  let state = (seed >>> 0) + 0x9e3779b9;
  const words: string[] = [];
  for (let index = 0; index < count; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const word = WORDS[(state >>> 16) % WORDS.length]!;
    words.push(index % 17 === 16 ? `${word}.` : word);
  }
  return words.join(' ');
}

/** FNV-1a: a seed from a text. */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}
