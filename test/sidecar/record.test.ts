import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHAIN_START, canonicalJson, verifyChain } from '../../contract/audit-entry.ts';
import { sealRecord } from '../../sidecar/record.ts';
import { exampleRecord } from './example-record.ts';

describe('a sealed record', () => {
  it('is canonical JSON as it stands: the members are written in order', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.integer({ min: 0 }), (task, target, tokensIn) => {
        const { entry } = sealRecord(exampleRecord({ task, target, tokensIn }), {
          stream: 's',
          seq: 3,
          previous: CHAIN_START,
        });
        expect(canonicalJson(JSON.parse(entry))).toBe(entry);
      }),
    );
  });

  it('holds every fact of the record that does not follow from another', () => {
    const { entry } = sealRecord(exampleRecord({}), { stream: 's', seq: 0, previous: CHAIN_START });
    /** Sealed as `durationNanoseconds`, as `streamed`, and not at all: they are context, no columns of `actions`. */
    const otherwise = new Set(['durationMs', 'stream', 'traceState', 'timeToFirstByteMs']);
    const sealed = JSON.parse(entry) as Record<string, unknown>;
    for (const name of Object.keys(exampleRecord({}))) {
      if (!otherwise.has(name)) expect(sealed, name).toHaveProperty(name);
    }
    expect(sealed).toMatchObject({ version: 2, durationNanoseconds: 12_500_000, streamed: false });
  });

  it('names the first link of a chain that was altered, dropped, inserted or moved', () => {
    const chain: { entry: string; hash: string }[] = [];
    let previous = CHAIN_START;
    for (let seq = 0; seq < 6; seq++) {
      const link = sealRecord(exampleRecord({ callId: `call-${seq}` }), { stream: 's', seq, previous });
      chain.push(link);
      previous = link.hash;
    }
    const [a, b, c, d, e, f] = chain as [never, never, { entry: string; hash: string }, never, never, never];
    expect(verifyChain(chain)).toBeNull();
    expect(verifyChain([a, b, { ...c, entry: c.entry.replace('call-2', 'call-9') }, d, e, f])).toBe(2);
    expect(verifyChain([a, b, d, e, f])).toBe(2);
    expect(verifyChain([a, b, c, c, d, e, f])).toBe(3);
    expect(verifyChain([a, b, d, c, e, f])).toBe(2);
    expect(verifyChain([b, c, d])).toBe(1);
  });
});
