// Amounts as a terminal shows them: exact where they are what was asked for, short where a table has many.

import type { BudgetLine } from '../../contract/budget.ts';
import { formatDollars, NANODOLLARS_PER_DOLLAR } from '../../contract/money.ts';

type Unit = BudgetLine['unit'];

/** No digit lost. */
export const amountShown = (amount: bigint, unit: Unit): string =>
  unit === 'tokens' ? `${amount.toLocaleString('en-US')} tokens` : formatDollars(amount);

const CENT = NANODOLLARS_PER_DOLLAR / 100n;
const SHORT_TOKENS = [
  [1_000_000_000n, 'B'],
  [1_000_000n, 'M'],
  [1_000n, 'k'],
] as const;

/** `$12.34`, `4.2M tok`: to the cent, or a tenth, towards zero. Less than a cent is shown whole. */
export function amountShort(amount: bigint, unit: Unit): string {
  if (unit === 'tokens') return `${shortCount(amount)} tok`;
  const size = amount < 0n ? -amount : amount;
  return formatDollars(size < CENT ? amount : (amount / CENT) * CENT);
}

function shortCount(amount: bigint): string {
  const size = amount < 0n ? -amount : amount;
  for (const [unit, letter] of SHORT_TOKENS) {
    if (size >= unit) return `${Number((amount * 10n) / unit) / 10}${letter}`;
  }
  return amount.toString();
}
