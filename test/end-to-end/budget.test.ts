// A budget of $10 and 200 calls of $1 at once: exactly ten pass, whoever is killed, and every call that reached the
// provider has a row.

import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { type Fleet, SAMPLE, startFleet } from './fleet.ts';
import { killRound } from './kill-round.ts';

const TEN_DOLLARS = SAMPLE.replace('budgets: [$100/month], task_budgets: [$50]', 'budgets: [$10/month]');
const DOLLAR = 1_000_000_000n;
/** Two rounds of each victim: the store process, the sidecar, the collector. Hundreds run with the long ones. */
const SEEDS = [1_000, 1_001, 1_002, 1_003, 1_004, 1_007];

async function storm(
  fleet: Fleet,
  calls: number,
): Promise<{ passed: number; left: string[]; refused: InstanceType<typeof OpenAI.APIError>[] }> {
  const client = new OpenAI({ baseURL: `${fleet.proxy}/openai/v1`, apiKey: 'x' });
  const call = () =>
    client.chat.completions
      .create({
        model: 'dollar',
        max_completion_tokens: 1,
        messages: [{ role: 'user', content: 'hi' }],
      })
      .withResponse();
  const endings = await Promise.allSettled(Array.from({ length: calls }, call));
  const refused = endings.flatMap((ending) =>
    ending.status === 'rejected' ? [ending.reason as InstanceType<typeof OpenAI.APIError>] : [],
  );
  const left = endings.flatMap((ending) =>
    ending.status === 'fulfilled'
      ? [ending.value.response.headers.get('x-outrider-budget-remaining') ?? 'unsaid']
      : [],
  );
  return { passed: calls - refused.length, left, refused };
}

describe('a budget of $10', () => {
  it('lets exactly ten of 200 calls of $1 through; the SDK does not retry the others', async () => {
    const fleet = await startFleet(TEN_DOLLARS);
    fleet.behave(() => ({ usage: { input: 10, output: 1 } }));
    const { passed, left, refused } = await storm(fleet, 200);
    expect(passed).toBe(10);
    for (const dollars of left) expect(dollars).toMatch(/^[0-9]\.0{6}$/);
    expect(Math.min(...left.map(Number))).toBe(0);
    expect(fleet.provider.requests).toHaveLength(10);
    expect(refused).toHaveLength(190);
    for (const failure of refused) {
      expect(failure.status).toBe(402);
      expect(failure.headers?.get('x-outrider-refusal')).toBe('over_budget');
      expect(failure.error).toMatchObject({ code: 'over_budget', limit: (10n * DOLLAR).toString() });
    }
    await expect
      .poll(async () => (await fleet.budgets()).find(({ level }) => level === 'agent')?.posted)
      .toBe((10n * DOLLAR).toString());
    await expect
      .poll(() =>
        fleet.query('SELECT status, toString(count()) AS calls FROM actions GROUP BY status ORDER BY status'),
      )
      .toEqual([
        { status: 'refused', calls: '190' },
        { status: 'success', calls: '10' },
      ]);
    expect(await fleet.stop()).toBe(0);
  });

  it.each(SEEDS)(
    'is not passed when a process is killed at a random moment, and every call has its row (seed %i)',
    killRound,
    90_000,
  );
});
