// What must hold, whatever befell: while the fleet runs, and once all is back. Each checker reads the tables, the fleet's
// own words or the truth, and never asks the code under test whether it was right.

import type { Database } from '../../collector/control/database.ts';
import type { Refusal } from '../../contract/refusals.ts';
import { amountsText } from './calls.ts';
import type { StoredRecord } from './collector.ts';
import type { Fleet } from './faults.ts';
import type { SidecarHost } from './sidecar.ts';
import type { TrueCall } from './truth.ts';

/** The tables of one run against themselves, and its leases against what was truly spent. */
export async function checkLedger(fleet: Fleet, database: Database, run: string): Promise<void> {
  const { world, truth } = fleet;
  const broken = await world.freeze(
    database.query(
      `select a.level, a.name, a.unit, a.posted::text, a.outstanding::text, a.spend_limit::text, a.excess::text,
         t.outstanding::text as slices, t.posted::text as slices_posted
       from accounts a left join lateral (
         select coalesce(sum(s.granted - s.posted), 0) as outstanding, coalesce(sum(s.posted), 0) as posted
         from slices s where s.account_ids @> array[a.account_id]) t on true
       where starts_with(a.name, $1) and (a.posted + a.outstanding > a.spend_limit + a.excess
         or a.outstanding <> t.outstanding or a.posted < 0 or a.outstanding < 0
         or a.posted <> t.posted and not exists (
           select from entries e where e.kind = 'rebased' and starts_with(e.lease_id, $1)))`,
      [run],
    ),
  );
  for (const account of broken) world.fail(`the ledger’s accounts do not add up: ${JSON.stringify(account)}`);
  const slices = await world.freeze(
    database.query<{ lease: string; unit: 'nanodollars' | 'tokens'; granted: string; ids: number }>(
      `select s.lease_id as lease, s.unit, s.granted::text, cardinality(s.account_ids) as ids
       from slices s where starts_with(s.lease_id, $1)`,
      [run],
    ),
  );
  for (const { lease, unit, granted, ids } of slices) {
    const spent = truth.spentOf(lease)[unit];
    if (ids > 0 && spent > BigInt(granted))
      world.fail(`${lease}: ${spent} ${unit} were truly spent, the ledger counts ${granted}`);
  }
}

/** `over_budget` is only ever the ledger's word: there was no room when it was said. */
export async function checkRefusal(
  fleet: Fleet,
  database: Database,
  call: TrueCall,
  host: SidecarHost,
  refusal: Refusal,
): Promise<void> {
  const { world } = fleet;
  if (refusal.code === 'ledger_unreachable') {
    if (host.disk.full || host.sidecar?.journalFails()) return; // and so the ledger is not asked
    const machines = [host, ...fleet.collectors].map(({ machine }) => machine.changedMs);
    if (world.nowMs() - Math.max(fleet.troubleMs(), ...machines) > CALM_MS)
      world.fail(
        `${call.id} is refused as if ${host.machine.name} could not reach the ledger; nothing kept it`,
      );
    return;
  }
  if (refusal.code !== 'over_budget') return;
  const facts = refusal.detail.facts as Facts;
  checkFacts(fleet, call, refusal, facts);
  if (refusal.detail.reason !== 'spent') return;
  const unit = facts.unit as 'nanodollars' | 'tokens';
  const rows = await world.freeze(
    database.query<{ posted: string; spend_limit: string }>(
      `select posted::text, spend_limit::text from accounts where level = $1 and name = $2 and unit = $3
         and budget_window = $4 and ends_at is not distinct from $5`,
      [facts.level, facts.name, unit, facts.window, facts.resets_at ? Date.parse(facts.resets_at) : null],
    ),
  );
  const account = rows[0];
  if (!account) return world.fail(`${call.id} is refused by an account that the ledger does not have`);
  const reloaded = account.spend_limit !== facts.limit;
  if (!reloaded && BigInt(account.posted) + call.amounts[unit] <= BigInt(account.spend_limit))
    world.fail(
      `${call.id} is refused, and ${facts.level} ${facts.name} has room for ${amountsText(call.amounts)}`,
    );
}

/** What a refusal says of the budget is why it is one, and why the call may come again, or need not. */
function checkFacts({ world }: Fleet, call: TrueCall, { detail }: Refusal, facts: Facts): void {
  const [limit, spent, held, needed] = ['limit', 'spent', 'held', 'needed'].map((name) =>
    BigInt(facts[name]!),
  );
  const text = `${call.id} is told: ${JSON.stringify({ ...facts, mayRetry: detail.mayRetry })}`;
  if (spent! + held! + needed! <= limit!) world.fail(`${text}, which leaves room for it`);
  const binds = facts.level !== 'task' || facts.name === `${call.agent}/${call.task}`;
  if (binds && detail.mayRetry !== spent! + needed! <= limit!)
    world.fail(`${text}, and waiting is another matter`);
}

type Facts = Readonly<Record<string, string>>;

/** Longer than any answer is waited for and any late message takes. */
const CALM_MS = 15_000;

/**
 * Once all is back and shipped: what reached an upstream has exactly one record, nothing has two, and each says what its call
 * cost: as used, its hold where its end was lost, nothing where it was refused.
 */
export function checkRecords({ world, truth }: Fleet, stored: readonly StoredRecord[]): void {
  const byCall = Map.groupBy(stored, ({ call }) => call);
  for (const call of truth.calls.values()) {
    const records = byCall.get(call.id) ?? [];
    const reached = call.state === 'sent' || call.state === 'ended';
    if (records.length > (call.doubtful ? 2 : 1)) world.fail(`${call.id} has ${records.length} records`);
    if (records.length === 0 && reached && !call.forgotten && !call.doubtful)
      world.fail(`${call.id} reached its upstream and has no record`);
    for (const { costNanodollars, lost } of records) {
      const cost = lost ? call.amounts.nanodollars : call.state === 'refused' ? 0n : call.used.nanodollars;
      if (costNanodollars !== cost)
        world.fail(`${call.id} cost n$${cost}, and its record says n$${costNanodollars}`);
    }
  }
}

/** Once all is shipped: no two records are one link, every link names the one before it, and none that was sealed is missing. */
export function checkChains({ world, truth }: Fleet, links: readonly StoredRecord[]): void {
  const doubtful = [...truth.calls.values()].some((call) => call.doubtful);
  const forgotten = [...truth.calls.values()].some((call) => call.forgotten);
  for (const [stream, own] of Map.groupBy(links, (link) => link.stream)) {
    const bySeq = new Map<number, StoredRecord>();
    for (const link of own) {
      const other = bySeq.get(link.seq);
      if (other && other.hash !== link.hash)
        world.fail(`${stream} ${link.seq} has two records: the chain is forked`);
      else if (other && !doubtful) world.fail(`${stream} ${link.seq} is stored twice`);
      bySeq.set(link.seq, link);
    }
    for (const { seq, previous } of own) {
      const before = bySeq.get(seq - 1);
      if (before ? before.hash !== previous : seq === 0 && !/^0+$/.test(previous))
        world.fail(`${stream} ${seq} does not name the link before it`);
      if (!before && seq > 0 && !doubtful && !forgotten) world.fail(`${stream} ${seq - 1} is missing`);
    }
  }
}

/** The ledger's own account of itself: its entries explain every balance. Over all runs since the tables were emptied. */
export async function checkEntries({ world }: Fleet, database: Database): Promise<void> {
  const rows = await world.freeze(
    database.query<{ problem: string }>('select problem from ledger_problems()'),
  );
  for (const { problem } of rows) world.fail(`ledger_problems: ${problem}`);
}

/** Once every sidecar has stopped: no call was posted twice. */
export async function checkPostedOnce(
  { world, truth }: Fleet,
  database: Database,
  run: string,
): Promise<void> {
  const closed = await world.freeze(
    database.query<{ lease: string; unit: 'nanodollars' | 'tokens'; posted: string }>(
      `select l.lease_id as lease, s.unit, s.posted::text from leases l join slices s using (lease_id)
       where starts_with(l.lease_id, $1) and l.state = 'closed'`,
      [run],
    ),
  );
  for (const { lease, unit, posted } of closed) {
    const most = truth.mostOf(lease)[unit];
    if (BigInt(posted) > most)
      world.fail(`${lease}: ${posted} ${unit} are posted, its calls come to ${most}`);
  }
}

/** Once every sidecar has stopped: the ledger has posted of each lease what the records of its calls come to, no more and no less. */
export async function checkPostedAsRecorded(
  { world, truth }: Fleet,
  database: Database,
  run: string,
  records: readonly StoredRecord[],
): Promise<void> {
  const costs = new Map(records.map(({ call, costNanodollars }) => [call, costNanodollars]));
  const recorded = new Map<string, bigint>();
  const unsure = new Set<string>();
  for (const { id, leases, forgotten, doubtful } of truth.calls.values())
    for (const lease of leases) {
      recorded.set(lease, (recorded.get(lease) ?? 0n) + (costs.get(id) ?? 0n));
      if (forgotten || doubtful) unsure.add(lease);
    }
  const closed = await world.freeze(
    database.query<{ lease: string; posted: string }>(
      `select l.lease_id as lease, s.posted::text from leases l join slices s using (lease_id)
       where starts_with(l.lease_id, $1) and l.state = 'closed' and s.unit = 'nanodollars'`,
      [run],
    ),
  );
  for (const { lease, posted } of closed)
    if (!unsure.has(lease) && BigInt(posted) !== (recorded.get(lease) ?? 0n))
      world.fail(
        `${lease}: n$${posted} are posted, its calls’ records come to n$${recorded.get(lease) ?? 0n}`,
      );
}

/** Once every sidecar has given everything back: nothing is outstanding, and nothing truly spent is uncounted. */
export async function checkNothingLeaks(fleet: Fleet, database: Database, run: string): Promise<void> {
  const { world } = fleet;
  const open = await world.freeze(
    database.query(
      `select l.lease_id as lease, l.scope, l.task, l.instance, s.unit, s.granted::text, s.posted::text
       from leases l join slices s using (lease_id)
       where starts_with(l.lease_id, $1) and l.state = 'open' and s.granted > s.posted and cardinality(s.account_ids) > 0`,
      [run],
    ),
  );
  if (!fleet.leakAllowed)
    for (const lease of open) world.fail(`a slice is left with nobody: ${JSON.stringify(lease)}`);
}
