// `outrider budgets write-off`: expired slices count as spent, for a reason that stays on record.

import type { WrittenOff } from '../../contract/ledger-book.ts';
import { table } from '../../kit/table.ts';
import type { CollectorClient } from '../collector-client.ts';
import { type Io, UsageError } from '../command.ts';
import { amountShown } from './amounts.ts';

type Act = (collector: CollectorClient, json: boolean, io: Io) => Promise<void>;

interface Flags {
  readonly lease?: string;
  readonly agent?: string;
  readonly reason?: string;
  readonly 'dry-run': boolean;
}

/** Throws UsageError. */
export function writeOff({ lease, agent, reason, 'dry-run': dryRun }: Flags): Act {
  if (lease !== undefined && agent !== undefined)
    throw new UsageError('Name a --lease or an --agent, not both.');
  if (!reason?.trim()) throw new UsageError("Say why, with --reason 'its machine is gone'.");
  const order = {
    ...(lease === undefined ? {} : { lease }),
    ...(agent === undefined ? {} : { agent }),
    reason,
    dry_run: dryRun,
  };
  return async (collector, json, io) => {
    const answer = await collector.post<{ readonly written_off: readonly WrittenOff[] }>(
      '/v1/budgets/write-off',
      order,
    );
    if (json) return io.stdout(`${JSON.stringify(answer, null, 2)}\n`);
    if (answer.written_off.length === 0) return io.stdout('No expired slice is left to write off.\n');
    const head = ['AGENT', 'INSTANCE', 'LEASE', 'EXPIRED', dryRun ? 'WOULD COUNT AS SPENT' : 'NOW SPENT'];
    io.stdout(table([head, ...answer.written_off.map(cells)]));
  };
}

const cells = ({ agent, instance, lease, expired_at, unit, amount }: WrittenOff): string[] => [
  agent,
  instance,
  lease,
  expired_at,
  amountShown(BigInt(amount), unit),
];
