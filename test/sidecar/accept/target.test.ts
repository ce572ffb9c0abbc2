import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Refusal } from '../../../contract/refusals.ts';
import { readReverse } from '../../../sidecar/accept/reverse.ts';
import { whyNotCanonical } from '../../../sidecar/accept/target.ts';

interface PathCase {
  readonly id: string;
  readonly url: string;
  readonly long?: number;
  readonly reason?: string;
  readonly upstream?: string;
  readonly path?: string;
  readonly query?: string;
}

const cases = readFileSync(new URL('../../cases/path.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as PathCase);

describe('a request target', () => {
  it.each(cases)('$id $url', ({ url, long, reason, upstream, path, query }) => {
    const target = long === undefined ? url : url + 'x'.repeat(long);
    if (reason === undefined) {
      expect(readReverse(target)).toEqual({ to: { kind: 'upstream', name: upstream }, path, query });
      return;
    }
    try {
      readReverse(target);
      expect.unreachable();
    } catch (failure) {
      expect(failure).toBeInstanceOf(Refusal);
      expect((failure as Refusal).code).toBe('bad_request');
      expect((failure as Refusal).detail.reason).toBe(reason);
    }
  });

  it('PATH-22: means the same to a URL parser whenever it is accepted', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^\/[ -~]{0,40}$/), (path) => {
        if (path.includes('?') || path.includes('#') || whyNotCanonical(path) !== null) return;
        expect(new URL(path, 'http://a').pathname).toBe(path);
      }),
      { numRuns: 5000 },
    );
  });
});
