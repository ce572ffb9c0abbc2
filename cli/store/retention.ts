// `outrider store retention`: how long what is kept, what is past its time, and dropping it at once.

import type { RetentionRun, RetentionState } from '../../contract/retention.ts';
import { table } from '../../kit/table.ts';
import { EXIT, refuseIdleFlags, UsageError } from '../command.ts';
import { print, type StoreAsked } from './flags.ts';

export async function retention(asked: StoreAsked): Promise<number> {
  const [action, ...rest] = asked.rest;
  if (rest.length > 0 || (action !== undefined && action !== 'run'))
    throw new UsageError('Write `outrider store retention` or `outrider store retention run`.');
  refuseIdleFlags({ ...asked.values }, action === 'run' ? ['trust-clock'] : [], 'store retention');
  if (action === 'run') await run(asked);
  else print(asked, await asked.collector.get<RetentionState>('/v1/store/retention'), stateText);
  return EXIT.done;
}

async function run(asked: StoreAsked): Promise<void> {
  const order = { trust_clock: asked.values['trust-clock'] ?? false };
  const gone = await asked.collector.post<RetentionRun>('/v1/store/retention', order);
  const rows = gone.dropped.reduce((sum, partition) => sum + partition.rows, 0);
  print(asked, gone, () => `Dropped ${gone.dropped.length} partitions with ${rows} rows.\n`);
}

const HEAD = ['CLASS', 'TABLE', 'PARTITION', 'ROWS', 'HELD BY'];
const NOT_BELIEVED =
  'The clock stands too far after the last run to be believed: nothing is dropped until it is right, or ' +
  '`outrider store retention run --trust-clock`.\n';

function stateText({ days, last_run, clock_believed, overdue }: RetentionState): string {
  const kept = Object.entries(days).map(([name, count]) => `${name} ${count} days`);
  const lines = overdue.map((each) => [
    each.class,
    each.table,
    each.partition,
    String(each.rows),
    each.held_by.join(' '),
  ]);
  const due = lines.length === 0 ? 'Nothing is past its time.\n' : table([HEAD, ...lines]);
  return `Kept: ${kept.join(', ')}. Last looked at: ${last_run ?? 'never'}.\n${clock_believed ? '' : NOT_BELIEVED}${due}`;
}
