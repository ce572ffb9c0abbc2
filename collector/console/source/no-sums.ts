// Nothing at all, for what is known by name and did nothing.

import type { Sums } from '../../../contract/console.ts';

export const NO_SUMS: Sums = {
  calls: 0,
  failed: 0,
  refused: 0,
  escalated: 0,
  would_refuse: 0,
  tokens_in: 0,
  tokens_out: 0,
  tokens_cached: 0,
  cost_nanodollars: '0',
  unpriced: 0,
};
