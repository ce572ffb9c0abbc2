// /v1/budgets: what is spent, held and left, and the ledger's book behind it; expired slices are written off.

import type { Handler } from 'hono';
import { z } from 'zod';
import type { Log } from '../../kit/log.ts';
import type { Database } from '../control/database.ts';
import { entriesOf, lateLeases, ledgerProblems } from '../control/entries.ts';
import type { Ledger } from '../control/ledger.ts';
import type { ApiEnvironment } from './guards.ts';
import { agentName, bodyOf, checked, text, writeOffRequest } from './messages.ts';

const ENTRIES_MAX = 1_000;
const ENTRIES_DEFAULT = 100;

const entriesAsked = z.object({
  agent: agentName.nullable().default(null),
  account: text(1_024).nullable().default(null),
  lease: text(256).nullable().default(null),
  limit: z.coerce.number().int().min(1).max(ENTRIES_MAX).default(ENTRIES_DEFAULT),
});

export function listBudgets(ledger: Ledger): Handler {
  return async (context) => context.json(await ledger.budgets());
}

export function listEntries(database: Database): Handler {
  return async (context) =>
    context.json(await entriesOf(database, checked(context.req.query(), entriesAsked)));
}

export function listLate(database: Database): Handler {
  return async (context) => context.json(await lateLeases(database));
}

export function checkLedger(database: Database): Handler {
  return async (context) => context.json({ problems: await ledgerProblems(database) });
}

export function writeOff(ledger: Ledger, log: Log): Handler<ApiEnvironment> {
  return async (context) => {
    const by = context.get('caller').sender;
    const { dry_run: dryRun, ...asked } = await bodyOf(context, writeOffRequest);
    const written = await ledger.writeOff({ ...asked, dryRun }, by);
    if (!dryRun) log.info('slices_written_off', { leases: written.length, by, reason: asked.reason });
    return context.json({ written_off: written });
  };
}
