// `outrider budgets learn` and `learned`: the ledger was restored, and does not know what it granted since.

import type { CollectorClient } from '../collector-client.ts';
import { type Io, UsageError } from '../command.ts';

type Act = (collector: CollectorClient, json: boolean, io: Io) => Promise<void>;

/** Throws UsageError. */
export function learn({ reason }: { readonly reason?: string }): Act {
  const why = reasonFrom(reason);
  return async (collector, json, io) => {
    const answer = await collector.post<{ until: string }>('/v1/budgets/learn', why);
    const said = `Nothing new is granted until ${answer.until}; what sidecars report meanwhile is taken for true.`;
    io.stdout(json ? `${JSON.stringify(answer)}\n` : `${said}\n`);
  };
}

/** Throws UsageError. */
export function learned({ reason }: { readonly reason?: string }): Act {
  const why = reasonFrom(reason);
  return async (collector, json, io) => {
    await collector.post('/v1/budgets/learned', why);
    io.stdout(json ? '{}\n' : 'The ledger grants again.\n');
  };
}

function reasonFrom(reason: string | undefined): { reason: string } {
  if (!reason?.trim()) throw new UsageError("Say why, with --reason 'restored by pg_restore'.");
  return { reason };
}
