// The ledger made small: one budget in one unit, no window. Each function follows the SQL function of the same name in
// collector/control/migrations; test/simulation/small-model.test.ts holds them to it, step by step.

import type { LeaseAnswer, LeaseAsk } from '../../../contract/budget.ts';

/** What one sidecar has at the ledger. Times count from now. */
export interface Shelf {
  readonly leases: readonly Lease[];
  /** Of all its leases, also those nobody remembers. */
  readonly posted: number;
  readonly outstanding: number;
}

export interface Lease {
  readonly id: string;
  readonly nonce: string;
  readonly seq: number;
  readonly state: 'open' | 'closed' | 'written_off';
  readonly granted: number;
  readonly posted: number;
  /** Posted by write-offs, less what was corrected since. */
  readonly writtenOff: number;
  readonly expiresIn: number;
  readonly outcome: LeaseAnswer['outcome'];
}

/** The budget, and what everybody else has of it. */
export interface Around {
  readonly limit: number;
  readonly posted: number;
  readonly outstanding: number;
  /** How many sidecars the ledger believes to be there. */
  readonly live: number;
}

/** What the ledger gets wrong, where it is told to: a test that the model can fail. */
export interface LedgerFlaws {
  readonly readsOldAsks?: boolean;
  readonly forgetsExpired?: boolean;
  readonly grantsHeld?: boolean;
  readonly correctsUnreleased?: boolean;
}

export interface Answer {
  readonly outcome: LeaseAnswer['outcome'];
  readonly lease: string | null;
  readonly granted: number;
  readonly ttl: number;
}

export const LEASE_LIFE = 1;
export const NO_SHELF: Shelf = { leases: [], posted: 0, outstanding: 0 };

type Told = readonly [Shelf, Answer];

export function leaseAsk(shelf: Shelf, ask: LeaseAsk, around: Around, flaws: LedgerFlaws = {}): Told {
  if (ask.lease === null) {
    const known = shelf.leases.find(({ nonce }) => nonce === ask.nonce);
    if (!known) return openLease(shelf, ask, around, flaws);
    return known.state === 'open' ? [shelf, answerOf(known)] : [shelf, STALE];
  }
  const lease = shelf.leases.find(({ id }) => id === ask.lease);
  if (!lease || (ask.seq < lease.seq && !flaws.readsOldAsks)) return [shelf, STALE];
  if (ask.seq === lease.seq) return [shelf, answerOf(lease)];
  return lease.state === 'open'
    ? continueLease(shelf, lease, ask, around, flaws)
    : reportLate(shelf, lease, ask, flaws);
}

const STALE: Answer = { outcome: 'stale', lease: null, granted: 0, ttl: 0 };

/** As collector/control/ledger.ts words it. */
const answerOf = ({ outcome, id, state, granted, expiresIn }: Lease): Answer =>
  outcome === 'stale'
    ? { ...STALE, granted }
    : { outcome, lease: id, granted, ttl: state === 'open' ? Math.max(0, expiresIn) : 0 };

const of = (ask: LeaseAsk, which: 'granted' | 'posted' | 'held' | 'want' | 'need'): number =>
  Number(ask[which].nanodollars);

function put(shelf: Shelf, before: Lease | null, after: Lease): Shelf {
  const others = shelf.leases.filter((lease) => lease !== before);
  return {
    leases: [...others, after],
    posted: shelf.posted + after.posted - (before?.posted ?? 0),
    outstanding: shelf.outstanding + unspent(after) - (before ? unspent(before) : 0),
  };
}

export const unspent = ({ granted, posted }: Lease): number => granted - posted;

function openLease(shelf: Shelf, ask: LeaseAsk, around: Around, flaws: LedgerFlaws): Told {
  const planned = planDraw(shelf, of(ask, 'need'), 0, around, flaws);
  if (typeof planned === 'string') return [shelf, { outcome: planned, lease: null, granted: 0, ttl: 0 }];
  const lease: Lease = {
    id: `L${ask.nonce}`,
    nonce: ask.nonce!,
    seq: ask.seq,
    state: 'open',
    granted: planned,
    posted: 0,
    writtenOff: 0,
    expiresIn: LEASE_LIFE,
    outcome: 'granted',
  };
  return [put(shelf, null, lease), answerOf(lease)];
}

/** How much is granted, or why nothing is. */
function planDraw(
  shelf: Shelf,
  need: number,
  free: number,
  { limit, posted, outstanding, live }: Around,
  { grantsHeld }: LedgerFlaws,
): number | 'over_budget' | 'held' {
  const spent = posted + shelf.posted;
  const room = limit - spent - (grantsHeld ? 0 : outstanding + shelf.outstanding);
  if (need > Math.max(room, 0)) return spent + need + free > limit ? 'over_budget' : 'held';
  const unused = Math.max(0, free);
  const share = Math.floor((room + unused) / (2 * live)) - unused;
  return Math.max(need, 0, Math.min(share, room));
}

function continueLease(shelf: Shelf, lease: Lease, ask: LeaseAsk, around: Around, flaws: LedgerFlaws): Told {
  const closing = of(ask, 'held') === 0 && ask.close === true;
  const late = lease.expiresIn < 0;
  const wanting = of(ask, 'want') > 0;
  const settled = giveBack(postSpent(lease, of(ask, 'posted')), ask, closing);
  const after: Lease = {
    ...settled,
    seq: ask.seq,
    state: closing ? 'closed' : 'open',
    expiresIn: closing || late ? lease.expiresIn : LEASE_LIFE,
    outcome: late && wanting && !closing ? 'stale' : 'granted',
  };
  if (closing || late || !(wanting || of(ask, 'need') > 0)) return told(put(shelf, lease, after));
  const free = unspent(after) - of(ask, 'held');
  const planned = planDraw(put(shelf, lease, after), of(ask, 'need'), free, around, flaws);
  if (typeof planned === 'string') return told(put(shelf, lease, { ...after, outcome: planned }));
  return told(put(shelf, lease, { ...after, granted: after.granted + planned }));
}

const told = (shelf: Shelf): Told => [shelf, answerOf(shelf.leases.at(-1)!)];

/** More than was granted is posted too: it is true. */
function postSpent(lease: Lease, spent: number): Lease {
  const posted = Math.max(lease.posted, spent);
  return { ...lease, posted, granted: Math.max(lease.granted, posted) };
}

function giveBack(lease: Lease, ask: LeaseAsk, closing: boolean): Lease {
  const used = Math.min(lease.granted, lease.posted + of(ask, 'held'));
  const kept = Math.min(lease.granted, Math.max(of(ask, 'granted'), used));
  return { ...lease, granted: closing || ask.release ? used : kept };
}

/** A lease that has ended hears what was spent of it; what a write-off posted beyond what may yet be is given back. */
function reportLate(shelf: Shelf, lease: Lease, ask: LeaseAsk, { correctsUnreleased }: LedgerFlaws): Told {
  const posted = postSpent(lease, of(ask, 'posted'));
  const kept = ask.release || correctsUnreleased ? 0 : of(ask, 'granted');
  const said = posted.posted - Math.max(kept, of(ask, 'posted') + of(ask, 'held'));
  const tooMuch = Math.max(0, Math.min(lease.writtenOff, said));
  const after: Lease = {
    ...posted,
    granted: posted.granted - tooMuch,
    posted: posted.posted - tooMuch,
    writtenOff: lease.writtenOff - tooMuch,
    seq: ask.seq,
    outcome: of(ask, 'want') > 0 ? 'stale' : 'granted',
  };
  return told(put(shelf, lease, after));
}

/** Posts every open lease whose time is over in full. */
export function writeOff(shelf: Shelf): Shelf {
  return shelf.leases
    .filter(({ state, expiresIn }) => state === 'open' && expiresIn <= 0)
    .reduce(
      (after, lease) =>
        put(after, lease, {
          ...lease,
          state: 'written_off',
          posted: lease.granted,
          writtenOff: unspent(lease),
        }),
      shelf,
    );
}

/** Time passes. How long ago a lease expired makes no difference. */
export function pass(shelf: Shelf, { forgetsExpired }: LedgerFlaws = {}): Shelf {
  const leases = shelf.leases.map((lease) => ({ ...lease, expiresIn: Math.max(-1, lease.expiresIn - 1) }));
  if (!forgetsExpired) return { ...shelf, leases };
  const kept = leases.map((lease) => (lease.expiresIn < 0 ? { ...lease, granted: lease.posted } : lease));
  return { ...shelf, leases: kept, outstanding: kept.reduce((sum, lease) => sum + unspent(lease), 0) };
}
