// `outrider budgets`: what is spent, held and left of every budget and where it is heading; raises; what waits for money;
// writing off what was never settled; and the ledger's book behind all that.

import { parseArgs } from 'node:util';
import { checkLedger } from './budgets/check.ts';
import { listEntries } from './budgets/entries.ts';
import { listLate } from './budgets/late.ts';
import { learn, learned } from './budgets/learn.ts';
import { listBudgets } from './budgets/list.ts';
import { endRaise, listRaises, raiseBudget } from './budgets/raise.ts';
import { listWaiting } from './budgets/waiting.ts';
import { writeOff } from './budgets/write-off.ts';
import { type CollectorClient, collectorClient } from './collector-client.ts';
import { EXIT, type Io, refuseIdleFlags, UsageError } from './command.ts';

export const help = `outrider budgets: what is spent, held and left

Usage: outrider budgets [--json]
       outrider budgets raise WHOSE '+AMOUNT' --for TIME --reason TEXT [--window WINDOW] [--json]
       outrider budgets raises [--json]
       outrider budgets end-raise ID [--json]
       outrider budgets waiting [--json]
       outrider budgets write-off [--lease ID | --agent NAME] --reason TEXT [--dry-run] [--json]
       outrider budgets late [--json]
       outrider budgets entries [--agent NAME] [--account WHOSE] [--lease ID] [--limit N] [--json]
       outrider budgets check [--json]
       outrider budgets learn --reason TEXT
       outrider budgets learned --reason TEXT

  raise             let one budget have more for a while: WHOSE is fleet, department/NAME, agent/NAME or
                    task/AGENT/TASK; '+$50' or '+5M tokens', in single quotes: a shell takes $5 for a variable
  raises            every raise in force
  end-raise         end a raise before its time
  waiting           which tasks wait for money, and until when
  write-off         count expired slices that their sidecars never settled as spent; what one that comes back after
                    all says it did not spend is given back
  late              leases that were heard of after they had expired or ended, and what that changed
  entries           what moved in the ledger, in which accounts and why, newest first
  check             recompute every account from the entries; exit 1 when something does not add up
  learn             after a restore by other means than ours: grant nothing until leases of before have expired
  learned           grant again before that

  --for TIME        30m, 8h, 2d: then the limit is the config's again; 366d at most
  --reason TEXT     kept on record, with who you are by your join token
  --window WINDOW   hour, day, week or month, where the budget has several
  --account WHOSE   only what moved in that budget: fleet, department/NAME, agent/NAME or task/AGENT/TASK
  --limit N         how many entries: 100 unless said, 1000 at most
  --dry-run         only list what would be written off
  --json            the collector's answer as it came
  --collector URL   the control API (OUTRIDER_COLLECTOR; else http://127.0.0.1:4319)
  --data DIR        where the join token is (OUTRIDER_DATA; else ./.outrider), unless OUTRIDER_TOKEN holds it

Held is what sidecars may still spend of slices they drew; left is what nobody has drawn yet. Projected is what is
spent at the window's end at the pace of this window so far; used up is when nothing is left, at that pace or at the
last hour's, whichever is faster. Times are UTC.

Examples:
  outrider budgets raise agent/trend-scout '+$50' --for 8h --reason "launch day"
  outrider budgets write-off --agent trend-scout --reason "its machine is gone" --dry-run
`;

const OPTIONS = {
  for: { type: 'string' },
  reason: { type: 'string' },
  window: { type: 'string' },
  agent: { type: 'string' },
  account: { type: 'string' },
  lease: { type: 'string' },
  limit: { type: 'string' },
  'dry-run': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  collector: { type: 'string' },
  data: { type: 'string' },
} as const;

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS });
  const [action, ...rest] = positionals;
  // What is asked is read before anybody is asked: a mistake in it is told without a collector.
  const act = actionOf(action, rest, values);
  refuseIdleFlags(values, FLAGS[action ?? ''] ?? [], ['budgets', action].filter(Boolean).join(' '));
  await act(collectorClient(values, io), values.json, io);
  return EXIT.done;
}

type Flags = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];
type Act = (collector: CollectorClient, json: boolean, io: Io) => Promise<void>;

function actionOf(action: string | undefined, rest: readonly string[], flags: Flags): Act {
  if (action === 'raise') return raiseBudget(rest, flags);
  if (action === 'write-off' && rest.length === 0) return writeOff(flags);
  if (action === 'learn' && rest.length === 0) return learn(flags);
  if (action === 'learned' && rest.length === 0) return learned(flags);
  if (action === 'entries' && rest.length === 0) return listEntries(flags);
  const [id] = rest;
  if (action === 'end-raise' && id !== undefined && rest.length === 1) return endRaise(id);
  const act = Object.hasOwn(PLAIN, action ?? '') ? PLAIN[action ?? ''] : undefined;
  if (act && rest.length === 0) return act;
  throw new UsageError(
    'Write `outrider budgets`, or `outrider budgets raise|raises|end-raise|waiting|write-off|late|entries|check|learn|learned …`.',
  );
}

/** Which flags an action takes beside --json, --collector and --data. */
const FLAGS: Readonly<Record<string, readonly string[]>> = {
  raise: ['for', 'reason', 'window'],
  'write-off': ['lease', 'agent', 'reason', 'dry-run'],
  entries: ['agent', 'account', 'lease', 'limit'],
  learn: ['reason'],
  learned: ['reason'],
};

const PLAIN: Readonly<Record<string, Act>> = {
  '': listBudgets,
  raises: listRaises,
  waiting: listWaiting,
  late: listLate,
  check: checkLedger,
};
