// Chance from a seed: the same seed draws the same numbers, on every machine.

export interface Random {
  /** From 0 up to, not including, 1. */
  share(): number;
  /** A whole number, both ends included. */
  between(least: number, most: number): number;
  chance(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
  /** Another source, whose draws do not shift this one's. */
  fork(): Random;
}

/** SplitMix32 over a counter: small, fast, and every seed is as good as any other. */
export function randomFrom(seed: number): Random {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) >>> 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
  const random: Random = {
    share: () => next() / 2 ** 32,
    between: (least, most) => least + Math.floor(random.share() * (most - least + 1)),
    chance: (probability) => random.share() < probability,
    pick: (from) => from[random.between(0, from.length - 1)]!,
    fork: () => randomFrom(next()),
  };
  return random;
}
