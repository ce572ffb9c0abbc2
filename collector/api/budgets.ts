// GET /v1/budgets: what is spent, held and left. POST /v1/budgets/write-off: expired slices count as spent for good.

import type { Handler } from 'hono';
import type { Log } from '../../kit/log.ts';
import type { Ledger } from '../control/ledger.ts';
import type { ApiEnvironment } from './guards.ts';

export function listBudgets(ledger: Ledger): Handler {
  return async (context) => context.json(await ledger.budgets());
}

export function writeOff(ledger: Ledger, log: Log): Handler<ApiEnvironment> {
  return async (context) => {
    const by = context.get('caller').sender;
    const written = await ledger.writeOff(by);
    log.info('slices_written_off', { leases: written.length, by });
    return context.json({ written_off: written });
  };
}
