// What is typed at `outrider budgets` and what a terminal of 120 columns shows, without a collector.

import { describe, expect, it } from 'vitest';
import { listBudgets } from '../../cli/budgets/list.ts';
import { raiseBudget } from '../../cli/budgets/raise.ts';
import { run } from '../../cli/budgets.ts';
import type { CollectorClient } from '../../cli/collector-client.ts';
import { type Io, UsageError } from '../../cli/command.ts';
import type { BudgetLine } from '../../contract/budget.ts';
import type { RaiseOrder } from '../../contract/raise.ts';

async function shown(
  act: (collector: CollectorClient, json: boolean, io: Io) => Promise<void>,
  answer: unknown,
) {
  const posted: unknown[] = [];
  let text = '';
  const collector: CollectorClient = {
    url: 'http://127.0.0.1:0',
    get: async <T>() => answer as T,
    post: async <T>(_path: string, message?: unknown) => {
      posted.push(message);
      return answer as T;
    },
    delete: async <T>() => answer as T,
    text: async () => String(answer),
    bytes: async () => null,
    lines: async function* () {
      yield String(answer);
    },
  };
  const stdout = (more: string): void => {
    text += more;
  };
  await act(collector, false, { stdout } as unknown as Io);
  return { text, posted };
}

const LINE: BudgetLine = {
  level: 'department',
  name: 'a-department-with-a-long-name',
  window: 'month',
  unit: 'nanodollars',
  limit: '2500990000000',
  raised: '500990000000',
  posted: '1999990000000',
  held: '100990000000',
  starts_at: '2026-11-01T00:00:00.000Z',
  resets_at: '2026-12-01T00:00:00.000Z',
  projected: '9999990000000',
  projected_by_last_hour: null,
  used_up_at: '2999-11-13T09:10:00.000Z',
};

describe('the table of budgets', () => {
  it('fits into 120 columns, raises, projections and long names too', async () => {
    const tokens: BudgetLine = {
      ...LINE,
      unit: 'tokens',
      limit: '15000000000',
      raised: '5500000000',
      posted: '1234567890',
    };
    const { text } = await shown(listBudgets, [LINE, tokens]);
    expect(text).toContain('$2000.00+$500.99');
    expect(text).toContain('9.5B+5.5B tok');
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
  });
});

describe('a raise', () => {
  const FLAGS = { for: '8h', reason: 'launch' };
  const orderOf = async (words: string[], flags: object = FLAGS) => {
    const { posted } = await shown(raiseBudget(words, flags), { ...LINE, amount: '1' });
    return posted[0] as RaiseOrder;
  };

  it.each([
    [['agent/a', '+$50'], { level: 'agent', name: 'a', unit: 'nanodollars', amount: '50000000000' }],
    [['fleet', '+$0.5'], { level: 'fleet', name: null, amount: '500000000' }],
    [
      ['department/m', '+5M', 'tokens'],
      { level: 'department', name: 'm', unit: 'tokens', amount: '5000000' },
    ],
    [['task', 'a/t/1', '+$5'], { level: 'task', name: 'a/t/1' }],
    [['task/a/t', '+$5'], { level: 'task', name: 'a/t' }],
  ])('of %j is read as it is meant', async (words, order) => {
    expect(await orderOf(words)).toMatchObject({
      ...order,
      for_ms: 8 * 3_600_000,
      reason: 'launch',
      window: null,
    });
  });

  it.each([
    [['agent/a', '+0'], FLAGS, /single quotes/], // what a shell leaves of +$50
    [['agent/a', '50'], FLAGS, /single quotes/],
    [['agent/a', '+$0'], FLAGS, /single quotes/],
    [['agent/a', '+$-5'], FLAGS, /single quotes/],
    [['agent/a'], FLAGS, /nothing is no amount/],
    [['a', '+$5'], FLAGS, /Say whose budget/],
    [['fleet/x', '+$5'], FLAGS, /Say whose budget/],
    [['task/a', '+$5'], FLAGS, /Say whose budget/],
    [['agent/a', '+$5'], { reason: 'x' }, /--for TIME/],
    [['agent/a', '+$5'], { for: '8h' }, /--reason TEXT/],
    [['agent/a', '+$5'], { for: '367d', reason: 'x' }, /at most 366d/],
    [['agent/a', '+$5'], { for: '0s', reason: 'x' }, /more than zero/],
  ])('of %j %j is refused before anybody is asked', (words, flags, sentence) => {
    expect(() => raiseBudget(words, flags)).toThrow(UsageError);
    expect(() => raiseBudget(words, flags)).toThrow(sentence);
  });
});

describe('a flag of another action', () => {
  it.each([
    // Without the flag every agent's slices would be written off.
    [
      ['write-off', '--account', 'agent/a', '--reason', 'gone'],
      '--account means nothing to `outrider budgets write-off`',
    ],
    [['--agent', 'a'], '--agent means nothing to `outrider budgets`'],
    [['raises', '--dry-run'], '--dry-run means nothing to `outrider budgets raises`'],
  ])('is refused, not ignored: %j', async (args, sentence) => {
    const io = { stdout: () => undefined, stderr: () => undefined, env: { OUTRIDER_TOKEN: 't' } };
    const failure = await run(args, io).catch((thrown: unknown) => thrown);
    expect(failure).toBeInstanceOf(UsageError);
    expect((failure as Error).message).toContain(sentence);
  });
});
