// One half of the small model: a sidecar, what the ledger has of it, and what is still on the wire between them. Halves
// that differ in names only are one half: names and numbers are told anew in a fixed order.

import type { LeaseAsk } from '../../../contract/budget.ts';
import {
  type Around,
  type Lease,
  type LedgerFlaws,
  leaseAsk,
  NO_SHELF,
  pass as passAtLedger,
  type Shelf,
  writeOff,
} from './ledger.ts';
import * as at from './sidecar.ts';

export interface Side {
  readonly sidecar: at.Sidecar;
  readonly shelf: Shelf;
  /** Requests given up that may yet arrive. */
  readonly stray: readonly (readonly LeaseAsk[])[];
}

export type Flaws = LedgerFlaws & at.SidecarFlaws;
/** What happened, and what came of it. */
export type Step = readonly [string, Side];

/** What is not followed further: the model is whole within these. */
export interface Bounds {
  readonly limit: number;
  /** Leases of one sidecar that it or the ledger knows. */
  readonly leases: number;
  /** Requests of one sidecar that go astray at once: of more, the oldest is lost. */
  readonly stray: number;
}

const SIZES = [1, 2] as const;
const REASONS = ['report', 'renew', 'recall', ...SIZES] as const;

export const freshSide = (): Side => ({ sidecar: at.freshSidecar(), shelf: NO_SHELF, stray: [] });

/** What may happen to it without the ledger's answer. */
export function stepsOf(side: Side, flaws: Flaws): Step[] {
  const { sidecar, stray } = side;
  const steps: Step[] = [];
  const add = (name: string, after: at.Sidecar | null, left = stray): void => {
    if (after) steps.push([name, { ...side, sidecar: after, stray: left }]);
  };
  for (const size of SIZES) add(`holds ${size}`, at.callFrom(sidecar, size));
  for (const [i, { size }] of sidecar.calls.entries())
    for (let used = 0; used <= size; used++) add(`settles ${used} of ${size}`, at.settle(sidecar, i, used));
  for (const reason of REASONS)
    if (typeof reason !== 'number' || !at.callFrom(sidecar, reason))
      add(`asks (${reason})`, at.askFor(sidecar, reason, flaws));
  const astray = sidecar.waitsFor ? [...stray, sidecar.waitsFor.asks] : stray;
  if (sidecar.answers) add('hears the answer', at.hear(sidecar), astray);
  if (sidecar.waitsFor) add('gives up waiting', at.giveUp(sidecar), astray);
  add('is killed and restarted', at.restart(sidecar, flaws), astray);
  if (heardOfAll(side)) steps.push(['is written off', { ...side, shelf: writeOff(side.shelf) }]);
  return steps;
}

/** A slice whose grant was never heard of stays posted once it is written off: nobody can say that it was not spent. */
const heardOfAll = ({ sidecar, shelf }: Side): boolean =>
  shelf.leases.every(({ id }) => sidecar.purses.some(({ lease }) => lease === id));

/** What may arrive at the ledger, which knows what others have. */
export function arrivalsOf(side: Side, around: Around, flaws: Flaws): Step[] {
  const { sidecar, stray, shelf } = side;
  const steps: Step[] = [];
  if (sidecar.waitsFor && !sidecar.answers) {
    const [after, answers] = deliver(shelf, sidecar.waitsFor.asks, around, flaws);
    steps.push(['is answered', { ...side, shelf: after, sidecar: { ...sidecar, answers } }]);
  }
  for (const asks of stray)
    steps.push(['is heard late', { ...side, shelf: deliver(shelf, asks, around, flaws)[0] }]);
  return steps;
}

function deliver(shelf: Shelf, asks: readonly LeaseAsk[], around: Around, flaws: Flaws) {
  let now = shelf;
  const answers = asks.map((ask) => {
    const [after, answer] = leaseAsk(now, ask, around, flaws);
    now = after;
    return answer;
  });
  return [now, answers] as const;
}

export const passTime = ({ sidecar, shelf, stray }: Side, flaws: Flaws): Side => ({
  sidecar: at.pass(sidecar),
  shelf: passAtLedger(shelf, flaws),
  stray,
});

/**
 * All that is amiss ends: calls end, words arrive. What is wrong then, null when nothing is: every amount is posted once,
 * nothing is left with anybody, and whoever asks for all the rest gets it.
 */
export function wrongOnceHealed(side: Side, around: Around, flaws: Flaws): string | null {
  let { sidecar, shelf } = side;
  const exchange = (reason: at.Reason): void => {
    const asking = at.askFor(sidecar, reason, flaws);
    if (!asking) return;
    const [after, answers] = deliver(shelf, asking.waitsFor!.asks, around, flaws);
    shelf = after;
    sidecar = at.hear({ ...asking, answers });
  };
  if (sidecar.waitsFor) sidecar = at.giveUp(sidecar);
  while (sidecar.calls.length > 0) sidecar = at.settle(sidecar, 0, sidecar.calls[0]!.size);
  for (let round = 0; round < 3; round++)
    for (const reason of ['report', 'recall'] as const) exchange(reason);
  if (shelf.posted !== sidecar.spent) return `${sidecar.spent} is spent, ${shelf.posted} is posted`;
  if (shelf.outstanding !== 0) return `${shelf.outstanding} is left with nobody`;
  const rest = around.limit - shelf.posted;
  for (let round = 0; round < 3 && rest > 0 && !at.callFrom(sidecar, rest); round++) exchange(rest);
  return rest > 0 && !at.callFrom(sidecar, rest) ? `${rest} is left, and nobody may have it` : null;
}

/** The half as it is told, and its text: the same for all that behave alike. */
export function canonical(side: Side, flaws: Flaws, bounds: Bounds): readonly [Side, string] {
  const told = tidied(side, flaws, bounds);
  const names = new Map<string, string>();
  const seqs = new Map<string, number[]>();
  const meet = (nonce: string, seq: number): void => {
    if (!names.has(nonce)) names.set(nonce, String(names.size));
    seqs.set(nonce, [...(seqs.get(nonce) ?? []), seq]);
  };
  const { purses, waitsFor } = told.sidecar;
  for (const { nonce, seq } of purses) meet(nonce, seq);
  for (const { nonce, seq } of told.shelf.leases) meet(nonce, seq);
  for (const ask of [...(waitsFor?.asks ?? []), ...told.stray.flat()]) meet(nonceOf(ask), ask.seq);
  const orders = new Map([...seqs].map(([nonce, all]) => [nonce, [...new Set(all)].sort((a, b) => a - b)]));
  const name = (nonce: string): string => names.get(nonce)!;
  const order = (nonce: string, seq: number): number => (seq === 0 ? 0 : 1 + orders.get(nonce)!.indexOf(seq));

  const anew = (ask: LeaseAsk): LeaseAsk => {
    const nonce = nonceOf(ask);
    const who = ask.lease === null ? { nonce: name(nonce) } : { lease: `L${name(nonce)}` };
    return { ...ask, ...who, seq: order(nonce, ask.seq) };
  };
  const renamed: Side = {
    sidecar: {
      ...told.sidecar,
      purses: purses.map((purse) => ({
        ...purse,
        nonce: name(purse.nonce),
        lease: purse.lease && `L${name(purse.nonce)}`,
        seq: order(purse.nonce, purse.seq),
      })),
      calls: told.sidecar.calls.map((call) => ({ ...call, nonce: name(call.nonce) })),
      waitsFor: waitsFor && { ...waitsFor, asks: waitsFor.asks.map(anew) },
      answers:
        told.sidecar.answers?.map((answer) => ({
          ...answer,
          lease: answer.lease && `L${name(answer.lease.slice(1))}`,
        })) ?? null,
    },
    shelf: {
      ...told.shelf,
      leases: told.shelf.leases
        .map((lease) => ({
          ...lease,
          nonce: name(lease.nonce),
          id: `L${name(lease.nonce)}`,
          seq: order(lease.nonce, lease.seq),
        }))
        .sort((a, b) => (a.nonce < b.nonce ? -1 : 1)),
    },
    stray: told.stray.map((asks) => asks.map(anew)),
  };
  return [renamed, textOf(renamed)];
}

const nonceOf = ({ lease, nonce }: LeaseAsk): string => lease?.slice(1) ?? nonce!;

/** Without what cannot matter any more: words that would change nothing, and leases that ended and nobody speaks of. */
function tidied({ sidecar, shelf, stray }: Side, { readsOldAsks }: Flaws, bounds: Bounds): Side {
  const changes = (ask: LeaseAsk): boolean => {
    const lease = shelf.leases.find(({ nonce }) => nonce === nonceOf(ask));
    if (ask.lease === null) return !lease;
    return lease !== undefined && (readsOldAsks ? ask.seq !== lease.seq : ask.seq > lease.seq);
  };
  const heard = stray.filter((asks) => asks.some(changes)).slice(stray.length > bounds.stray ? 1 : 0);
  const spoken = new Set(
    [...sidecar.purses, ...sidecar.calls]
      .map(({ nonce }) => nonce)
      .concat([...(sidecar.waitsFor?.asks ?? []), ...heard.flat()].map(nonceOf)),
  );
  const leases = shelf.leases
    .filter(({ nonce, state }) => state === 'open' || spoken.has(nonce))
    .map((lease) => withoutHistory(lease, sidecar, heard));
  const blank = sidecar.answers && !sidecar.waitsFor!.asks.some(changes);
  const waitsFor = blank
    ? { ...sidecar.waitsFor!, asks: sidecar.waitsFor!.asks.map(blanked) }
    : sidecar.waitsFor;
  return { sidecar: { ...sidecar, waitsFor }, shelf: { ...shelf, leases }, stray: heard };
}

/** Of a lease that its holder knows nobody asks how the last ask ended; of one that ended, nobody when. */
function withoutHistory(lease: Lease, { purses, waitsFor }: at.Sidecar, stray: Side['stray']): Lease {
  const asks = [...(waitsFor?.asks ?? []), ...stray.flat()];
  const sought =
    asks.some((ask) => ask.lease === null && ask.nonce === lease.nonce) ||
    !purses.some((purse) => purse.lease === lease.id);
  const { state, expiresIn, outcome } = lease;
  return { ...lease, outcome: sought ? outcome : 'granted', expiresIn: state === 'open' ? expiresIn : 0 };
}

/** What still matters of an ask that the ledger has answered. */
function blanked(ask: LeaseAsk): LeaseAsk {
  const none = { nanodollars: '0', tokens: '0' };
  return { ...ask, granted: none, posted: none, held: none, need: none };
}

const textOf = (side: Side): string => JSON.stringify(side);
