// `outrider budgets late`: what came after a lease had expired or ended, and what it changed.

import type { LateLease } from '../../contract/ledger-book.ts';
import { table } from '../../kit/table.ts';
import type { CollectorClient } from '../collector-client.ts';
import type { Io } from '../command.ts';
import { amountShown } from './amounts.ts';

export async function listLate(collector: CollectorClient, json: boolean, io: Io): Promise<void> {
  const lines = await collector.get<LateLease[]>('/v1/budgets/late');
  if (json) return io.stdout(`${JSON.stringify(lines, null, 2)}\n`);
  if (lines.length === 0) return io.stdout('No lease was settled late.\n');
  const head = ['AGENT', 'INSTANCE', 'LEASE', 'EXPIRED', 'HEARD', 'WRITTEN OFF', 'CHANGED BY', 'SPENT'];
  io.stdout(table([head, ...lines.map(cells)]));
}

const cells = (line: LateLease): string[] => [
  line.agent,
  line.instance,
  line.lease,
  line.expired_at,
  line.late_at,
  ...[line.written_off, line.corrected, line.posted].map((amount) => amountShown(BigInt(amount), line.unit)),
];
