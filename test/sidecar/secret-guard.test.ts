import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { secretGuard } from '../../sidecar/secret-guard.ts';

const SECRET = Buffer.from('sk-aab-sk-aac');

/** What got through of chunks; `caught` when the guard found the secret. */
function through(chunks: readonly Buffer[]): { passed: string; caught: boolean } {
  const guard = secretGuard(SECRET);
  let passed = '';
  for (const chunk of chunks) {
    const bytes = guard.pass(chunk);
    if (bytes === null) return { passed, caught: true };
    passed += bytes.toString('latin1');
  }
  return { passed: passed + guard.flush().toString('latin1'), caught: false };
}

function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
}

describe('the secret guard', () => {
  it('finds the secret at every split, and never lets it through whole', () => {
    const bytes = Buffer.from(`before sk-aab-${SECRET.toString()} after`);
    for (let a = 0; a <= bytes.length; a++) {
      for (let b = a; b <= bytes.length; b++) {
        const { passed, caught } = through(split(bytes, [a, b]));
        expect(caught).toBe(true);
        expect(passed).not.toContain(SECRET.toString());
      }
    }
  });

  it('lets every other stream through unchanged, at any split', () => {
    const almost = fc.constantFrom('sk-', 'sk-aab', 'sk-aab-sk-aa', '-', 'a', ' ', 'sk-aab-sk-aaX');
    fc.assert(
      fc.property(fc.array(almost), fc.array(fc.nat(60)), (parts, cuts) => {
        const bytes = Buffer.from(parts.join(''));
        fc.pre(!bytes.includes(SECRET));
        const bounded = cuts.map((cut) => Math.min(cut, bytes.length));
        expect(through(split(bytes, bounded))).toEqual({ passed: bytes.toString('latin1'), caught: false });
      }),
    );
  });
});
