// `outrider budgets entries`: what moved in the ledger, in which accounts, and why.

import type { LedgerEntry } from '../../contract/ledger-book.ts';
import { table } from '../../kit/table.ts';
import type { CollectorClient } from '../collector-client.ts';
import type { Io } from '../command.ts';
import { amountShown } from './amounts.ts';

type Act = (collector: CollectorClient, json: boolean, io: Io) => Promise<void>;

interface Flags {
  readonly agent?: string;
  readonly account?: string;
  readonly lease?: string;
  readonly limit?: string;
}

export function listEntries({ agent, account, lease, limit }: Flags): Act {
  const asked = Object.entries({ agent, account, lease, limit }).filter(
    (pair): pair is [string, string] => pair[1] !== undefined,
  );
  return async (collector, json, io) => {
    const entries = await collector.get<LedgerEntry[]>(`/v1/budgets/entries?${new URLSearchParams(asked)}`);
    if (json) return io.stdout(`${JSON.stringify(entries, null, 2)}\n`);
    if (entries.length === 0) return io.stdout('There is no such entry.\n');
    const head = ['AT', 'WHAT', 'WHO', 'LEASE', 'SLICE', 'SPENT', 'ACCOUNTS', 'WHY'];
    io.stdout(table([head, ...entries.map(cells)]));
  };
}

function cells(entry: LedgerEntry): string[] {
  const { at, kind, agent, instance, lease, unit, granted, posted, accounts, why } = entry;
  const moved = (amount: string) => (unit === '' || amount === '0' ? '' : amountShown(BigInt(amount), unit));
  const who = agent === '' ? '' : `${agent}/${instance}`;
  return [at, kind.replaceAll('_', ' '), who, lease, moved(granted), moved(posted), accounts, why];
}
