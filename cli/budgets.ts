// `outrider budgets`: what is spent, held and left of every budget and where it is heading; raises; what waits for money;
// and writing off what was never settled.

import { parseArgs } from 'node:util';
import { table } from '../kit/table.ts';
import { amountShown } from './budgets/amounts.ts';
import { listBudgets } from './budgets/list.ts';
import { endRaise, listRaises, raiseBudget } from './budgets/raise.ts';
import { type CollectorClient, collectorClient } from './collector-client.ts';
import { EXIT, type Io, UsageError } from './command.ts';

export const help = `outrider budgets: what is spent, held and left

Usage: outrider budgets [--json]
       outrider budgets raise WHOSE '+AMOUNT' --for TIME --reason TEXT [--window WINDOW] [--json]
       outrider budgets raises [--json]
       outrider budgets end-raise ID [--json]
       outrider budgets write-off [--json]

  raise             let one budget have more for a while: WHOSE is fleet, department/NAME, agent/NAME or
                    task/AGENT/TASK; '+$50' or '+5M tokens', in single quotes: a shell takes $5 for a variable
  raises            every raise in force
  end-raise         end a raise before its time
  write-off         count every expired slice that its sidecar never settled as spent, for good

  --for TIME        30m, 8h, 2d: then the limit is the config's again; 366d at most
  --reason TEXT     kept on record, with who you are by your join token
  --window WINDOW   hour, day, week or month, where the budget has several
  --json            the collector's answer as it came
  --collector URL   the control API (OUTRIDER_COLLECTOR; else http://127.0.0.1:4319)
  --data DIR        where the join token is (OUTRIDER_DATA; else ./.outrider), unless OUTRIDER_TOKEN holds it

Held is what sidecars may still spend of slices they drew; left is what nobody has drawn yet. Projected is what is
spent at the window's end at the pace of this window so far; used up is when nothing is left, at that pace or at the
last hour's, whichever is faster.

Example: outrider budgets raise agent/trend-scout '+$50' --for 8h --reason "launch day"
`;

interface WrittenOff {
  readonly written_off: readonly {
    readonly lease: string;
    readonly agent: string;
    readonly instance: string;
    readonly unit: 'nanodollars' | 'tokens';
    readonly amount: string;
  }[];
}

const OPTIONS = {
  for: { type: 'string' },
  reason: { type: 'string' },
  window: { type: 'string' },
  json: { type: 'boolean', default: false },
  collector: { type: 'string' },
  data: { type: 'string' },
} as const;

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS });
  const [action, ...rest] = positionals;
  // What is asked is read before anybody is asked: a mistake in it is told without a collector.
  const act = actionOf(action, rest, values);
  await act(collectorClient(values, io), values.json, io);
  return EXIT.done;
}

type Act = (collector: CollectorClient, json: boolean, io: Io) => Promise<void>;

function actionOf(action: string | undefined, rest: readonly string[], flags: RaiseFlags): Act {
  if (action === 'raise') return raiseBudget(rest, flags);
  const [id] = rest;
  if (action === 'end-raise' && id !== undefined && rest.length === 1) return endRaise(id);
  const act = Object.hasOwn(PLAIN, action ?? '') ? PLAIN[action ?? ''] : undefined;
  if (act && rest.length === 0) return act;
  throw new UsageError('Write `outrider budgets`, or `outrider budgets raise|raises|end-raise|write-off …`.');
}

interface RaiseFlags {
  readonly for?: string;
  readonly reason?: string;
  readonly window?: string;
}

const PLAIN: Readonly<Record<string, Act>> = {
  '': listBudgets,
  raises: listRaises,
  'write-off': writeOff,
};

async function writeOff(collector: CollectorClient, json: boolean, io: Io): Promise<void> {
  const answer = await collector.post<WrittenOff>('/v1/budgets/write-off');
  if (json) return io.stdout(`${JSON.stringify(answer, null, 2)}\n`);
  if (answer.written_off.length === 0) return io.stdout('No expired slice is left to write off.\n');
  const head = ['AGENT', 'INSTANCE', 'LEASE', 'NOW SPENT'];
  const rows = answer.written_off.map(({ agent, instance, lease, unit, amount }) => [
    agent,
    instance,
    lease,
    amountShown(BigInt(amount), unit),
  ]);
  io.stdout(table([head, ...rows]));
}
