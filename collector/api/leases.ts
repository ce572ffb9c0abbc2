// POST /v1/leases: sidecars ask for money, report what they spent, give back.

import type { Handler } from 'hono';
import type { Ledger } from '../control/ledger.ts';
import { bodyOf, leaseRequest } from './messages.ts';

export function answerLeases(ledger: Ledger): Handler {
  return async (context) => context.json(await ledger.lease(await bodyOf(context, leaseRequest)));
}
