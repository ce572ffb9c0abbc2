import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { REFUSAL_CODES, REFUSALS, Refusal } from '../../contract/refusals.ts';

const docs = readFileSync(new URL('../../docs/refusals.md', import.meta.url), 'utf8');

describe('the catalogue of refusals', () => {
  it('is the very list that the docs show, with status, retry and advice', () => {
    const rows = [...docs.matchAll(/^\| `([a-z_]+)` \| (\d{3}) \| (yes|no) \| (.+) \|$/gm)].map(
      ([, code, status, retry, advice]) => ({
        code,
        status: Number(status),
        mayRetry: retry === 'yes',
        advice,
      }),
    );
    expect(rows).toEqual(REFUSAL_CODES.map((code) => ({ code, ...REFUSALS[code] })));
  });

  it('never answers a terminal refusal with a status that SDKs retry by themselves, or says not to', () => {
    for (const code of REFUSAL_CODES) {
      const refusal = new Refusal(code, 'x');
      expect(refusal.mayRetry).toBe(REFUSALS[code].mayRetry);
    }
    expect(new Refusal('over_budget', 'x', { mayRetry: true }).mayRetry).toBe(true);
  });
});
