// The bound is never below the truth, however a request is spelled; and the page says how far above it is.

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { syntaxBytes } from '../../../sidecar/dialects/syntax.ts';
import { WIRES } from './calls.ts';
import { reservedBy, reservedPage } from './figures.ts';

describe.each(WIRES.map((wire) => [wire.title, wire] as const))('what %s reserves', (_, wire) => {
  const all = reservedBy(wire);

  it('is never less than what is used', () => {
    for (const { inputBound, inputTokens, held, cost } of all) {
      expect(inputBound).toBeGreaterThanOrEqual(inputTokens);
      expect(held).toBeGreaterThanOrEqual(cost);
    }
  });
});

it('stands on the page', () => {
  const page = readFileSync(new URL('../../../docs/accounting.md', import.meta.url), 'utf8');
  expect(page).toBe(reservedPage());
});

/** The least that a body must hold: its texts and roles. */
const textBytes = (texts: readonly string[]): number =>
  texts.reduce((total, text) => total + Buffer.byteLength(text), 0);

const text = fc.string({ unit: 'grapheme', maxLength: 30 });
const role = fc.constantFrom('user', 'assistant', 'system', 'développeur');

describe('the syntax that is taken off a body', () => {
  it('leaves every byte of its text, in every shape of message', () => {
    const message = fc.oneof(
      fc.record({ role, content: text }),
      fc.record({
        role,
        content: fc.array(fc.record({ type: fc.constantFrom('text', 'input_text'), text }), { maxLength: 4 }),
      }),
      fc.record({ role, parts: fc.array(fc.record({ text }), { maxLength: 4 }) }),
      fc.record({
        role,
        content: text,
        name: text,
        tool_calls: fc.array(fc.record({ id: text, arguments: text })),
      }),
      fc.record({ type: fc.constant('text'), text }),
      fc.record({ text }),
      fc.record({ role, content: fc.constant(null) }),
      text,
    );
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), (messages) => {
        const body = Buffer.byteLength(JSON.stringify({ messages }));
        expect(body - syntaxBytes(messages)).toBeGreaterThanOrEqual(textBytes(stringsIn(messages)));
      }),
      { numRuns: 2_000 },
    );
  });
});

/** Every text that a model could be shown; the types of parts are none. */
function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(stringsIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => (key === 'type' ? [] : stringsIn(member)));
}
