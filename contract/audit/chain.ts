// One stream's chain, put together from records and from what the log claims of it, both in any order:
//
//   records    0 ◀─ 1 ◀─ 2 ◀─ 3    . ◀─ 5 ◀─ 6        each names the hash of the one before
//   claims     └─ leaf 4 ────┘ └─ leaf 9 ────┘        a leaf says: first, last, and the hash of the last
//              settled        next        waiting
//
// A record is settled once all before it are there; what comes early waits as a small link. Since a head stands for every
// record before it, a chain that agrees with each claimed head holds what the log was told, and nothing else.

import { CHAIN_START } from '../audit-entry.ts';
import type { ChainRange } from '../chain-ranges.ts';
import type { Finding } from './finding.ts';

export interface Link {
  readonly seq: number;
  readonly hash: string;
  readonly previous: string;
  readonly callId: string;
}

export interface Claim extends Omit<ChainRange, 'stream'> {
  readonly logIndex: number;
}

/** What a chain finds, without the stream's name. */
export type ChainFinding = Omit<Finding, 'in' | 'stream' | 'file'>;

export interface ChainRules {
  /** Records that no claim stands for are counted, not reported. */
  readonly acceptsUnlogged: boolean;
  /** The log's first leaves are no longer kept: what is before the first claim need not be there, but may. */
  readonly startsLate: boolean;
}

/** Records that need not be there. `head`: the hash of the last, where it is known. */
interface Excused {
  readonly first: number;
  readonly last: number;
  readonly head: string | null;
}

/** So many links wait for one that is missing before it is given up: a call that ran for hours still finds its place. */
const WAITING_MAX = 100_000;
/** The hash of so many settled records is remembered, to tell a record stored twice from another of its number. */
const REMEMBERED = 4_096;

export class Chain {
  readonly #report: (finding: ChainFinding) => void;
  readonly #rules: ChainRules;
  readonly #waiting = new Map<number, Link>();
  readonly #remembered = new Map<number, Link>();
  /** By the number of their last record. */
  readonly #claims = new Map<number, Claim[]>();
  /** Of the newest claims: the number of the first record by that of the last. */
  readonly #claimedEnds = new Map<number, number>();
  /** Claims that say again what an earlier one said: their records may be stored twice. */
  readonly #resent: Claim[] = [];
  /** Claims that came when the hash of their last record was forgotten; one that comes later must hold them. */
  #late: Claim[] = [];
  /** The last record that a claim agreed with. */
  #proven = -1;
  /** Numbers whose record is not held to the one before. */
  readonly #breaks: number[] = [];
  #excused: Excused[] = [];
  #next = 0;
  /** The hash that the record `next` must name; null: not known. */
  #head: string | null = CHAIN_START;
  /** The record before `next`, and whether a claim agreed with it. */
  #before: Link | null = null;
  #isProven = true;
  /** The record after it names another hash than its own: one of the two is bad. */
  #suspect: Link | null = null;
  #firstClaimed: number | null = null;
  #lastClaimed = -1;
  #lastExported = -1;
  #unclaimed: Pick<Link, 'seq' | 'callId'> | null = null;
  /** Among those that need not be there, so nothing is known of them. */
  readonly #outside: Link[] = [];

  constructor(report: (finding: ChainFinding) => void, rules: ChainRules) {
    this.#report = report;
    this.#rules = rules;
  }

  record(link: Link): void {
    if (link.seq >= this.#next && !this.#waiting.has(link.seq)) {
      this.#waiting.set(link.seq, link);
      this.#advance();
      if (this.#waiting.size > WAITING_MAX) this.#jump(lowest(this.#waiting.keys()), 'deleted');
    } else if (this.#isExcused(link.seq)) this.#outside.push(link);
    else this.#again(link);
  }

  /** Whether the log was told of a record of this number, or of one after it. */
  isClaimed(seq: number): boolean {
    return seq <= this.#lastClaimed;
  }

  /** Records that must be there, and end in this head. */
  claim(claim: Claim): void {
    if (this.#claimedEnds.get(claim.last) === claim.first) this.#resent.push(claim);
    this.#claimedEnds.set(claim.last, claim.first);
    if (this.#claimedEnds.size > REMEMBERED) this.#claimedEnds.delete(firstOf(this.#claimedEnds.keys()));
    this.#firstClaimed ??= claim.first;
    this.#cover(claim.last);
    this.#lastExported = Math.max(this.#lastExported, claim.last);
    const settled = claim.last < this.#next ? this.#remembered.get(claim.last) : undefined;
    if (settled) this.#compare(settled, claim);
    else if (claim.last >= this.#next)
      this.#claims.set(claim.last, [...(this.#claims.get(claim.last) ?? []), claim]);
    else if (!this.#isExcused(claim.last) && !this.#isHeld(claim)) this.#late.push(claim);
  }

  /** Records that are not among those exported, or were dropped by somebody entitled to; `head` null: not known. */
  excuse(first: number, last: number, head: string | null): void {
    if (this.#rules.startsLate && this.#next === 0 && this.#firstClaimed === null)
      this.#moveTo(first, null, null);
    this.#firstClaimed ??= first;
    this.#excused.push({ first, last, head });
    this.#cover(last);
    this.#advance();
  }

  /** Nothing more comes: names what is missing. How many records no claim stands for. */
  end(): number {
    while (this.#waiting.size > 0) this.#jump(lowest(this.#waiting.keys()), 'deleted');
    if (this.#lastExported >= this.#next) this.#jump(this.#lastExported + 1, 'truncated');
    if (this.#suspect) this.#blame(this.#suspect);
    const [first = this.#unclaimed] = this.#outside;
    if (first && !this.#rules.acceptsUnlogged)
      this.#report({ kind: 'inserted', ...placeOf(first), what: 'no request in the log brought it.' });
    else if (this.#late[0]) this.#report(neverHeld(this.#late[0]));
    return this.#outside.length + (this.#unclaimed ? this.#next - this.#unclaimed.seq : 0);
  }

  #cover(last: number): void {
    this.#lastClaimed = Math.max(this.#lastClaimed, last);
    if (!this.#unclaimed || this.#unclaimed.seq > last) return;
    const seq = this.#lastClaimed + 1;
    const forgotten = { seq, callId: '' };
    this.#unclaimed = seq < this.#next ? (this.#remembered.get(seq) ?? forgotten) : null;
  }

  /** Each record names the hash of the one before, from the claim's last on to one that another claim agreed with. */
  #isHeld({ last }: Claim): boolean {
    return last <= this.#proven && !this.#breaks.some((at) => last < at && at <= this.#proven);
  }

  #advance(): void {
    for (;;) {
      const link = this.#waiting.get(this.#next);
      if (link) {
        this.#waiting.delete(link.seq);
        this.#settle(link);
      } else if (!this.#skipExcused()) return;
    }
  }

  #settle(link: Link): void {
    const isTorn = this.#head !== null && link.previous !== this.#head;
    if (this.#suspect) this.#blame(isTorn && this.#before ? this.#before : this.#suspect);
    else if (isTorn && this.#isProven) this.#blame(link);
    else if (isTorn) this.#suspect = this.#before;
    this.#moveTo(link.seq + 1, link.hash, link);
    this.#remembered.set(link.seq, link);
    this.#remembered.delete(link.seq - REMEMBERED);
    if (link.seq > this.#lastClaimed) this.#unclaimed ??= link;
    for (const claim of this.#claims.get(link.seq) ?? []) this.#compare(link, claim);
    this.#claims.delete(link.seq);
  }

  #moveTo(next: number, head: string | null, before: Link | null): void {
    this.#next = next;
    this.#head = head;
    this.#before = before;
    this.#isProven = before === null;
    if (before === null) this.#breaks.push(next);
  }

  /** A record that a claim agrees with is good: what is torn before it is the fault of the one before. */
  #compare(link: Link, claim: Claim): void {
    const agrees = link.hash === claim.head;
    if (this.#suspect && agrees) this.#blame(this.#suspect);
    this.#suspect = null;
    if (!agrees)
      this.#report({
        kind: 'altered',
        ...placeOf(link),
        log_index: claim.logIndex,
        what: `its hash is not the head of records ${claim.first} to ${claim.last} that the log was told.`,
      });
    else this.#prove(link.seq);
    if (link !== this.#before) return;
    this.#isProven = true;
    this.#head = claim.head;
  }

  #prove(seq: number): void {
    this.#proven = Math.max(this.#proven, seq);
    if (this.#late.length > 0) this.#late = this.#late.filter((claim) => !this.#isHeld(claim));
  }

  #blame(link: Link): void {
    this.#suspect = null;
    this.#report({ kind: 'altered', ...placeOf(link), what: 'the records beside it name other hashes.' });
  }

  #skipExcused(): boolean {
    if (this.#excused.length === 0) return false;
    this.#excused = this.#excused.filter(({ last, head }) => last >= this.#next || head === null);
    const range = this.#excused.find(({ first, last }) => first <= this.#next && this.#next <= last);
    if (!range) return false;
    this.#moveTo(range.last + 1, range.head ?? this.#claims.get(range.last)?.[0]?.head ?? null, null);
    return true;
  }

  #isExcused(seq: number): boolean {
    return this.#excused.some(({ first, last }) => first <= seq && seq <= last);
  }

  #again(link: Link): void {
    const known = this.#waiting.get(link.seq) ?? this.#remembered.get(link.seq);
    if (known && known.hash !== link.hash)
      return this.#report({
        kind: 'forked',
        ...placeOf(link),
        what: `two records have this number, the other is of call ${known.callId}.`,
      });
    if (this.#resent.some(({ first, last }) => first <= link.seq && link.seq <= last)) return;
    const what = known ? 'it stands there twice.' : 'a record of this number stood far before it.';
    this.#report({ kind: 'inserted', ...placeOf(link), what });
  }

  /** Gives up what is missing from `next` to before `to`. */
  #jump(to: number, kind: 'deleted' | 'truncated'): void {
    const startsHere = this.#rules.startsLate && this.#next === 0;
    const seq = startsHere ? (this.#firstClaimed ?? to) : this.#next;
    if (seq < to) this.#miss(seq, to - 1, kind);
    const head = this.#claims.get(to - 1)?.[0]?.head ?? null;
    for (const last of this.#claims.keys()) if (last < to) this.#claims.delete(last);
    if (this.#suspect) this.#blame(this.#suspect);
    this.#moveTo(to, head, null);
    this.#advance();
  }

  #miss(first: number, last: number, kind: 'deleted' | 'truncated'): void {
    const claim = this.#claimOf(first);
    const what =
      kind === 'deleted' ? missing(first, last) : `${missing(first, last)} The chain is cut off there.`;
    this.#report({ kind, seq: first, ...(claim ? { log_index: claim.logIndex } : {}), what });
  }

  /** The claim that a missing record stands in. */
  #claimOf(seq: number): Claim | undefined {
    const ends = [...this.#claims.keys()].filter((last) => last >= seq);
    return ends.length > 0 ? this.#claims.get(lowest(ends))?.[0] : undefined;
  }
}

const placeOf = ({ seq, callId }: Pick<Link, 'seq' | 'callId'>) => ({ seq, call_id: callId });
const neverHeld = ({ first, last, logIndex }: Claim): ChainFinding => ({
  kind: 'altered',
  seq: last,
  log_index: logIndex,
  what: `nothing shows that it is the head of records ${first} to ${last} that the log was told.`,
});
const missing = (first: number, last: number): string =>
  first === last ? 'It is missing.' : `It is missing, and so are those after it up to ${last}.`;

function firstOf(numbers: Iterator<number>): number {
  return numbers.next().value!;
}

function lowest(numbers: Iterable<number>): number {
  let least = Number.POSITIVE_INFINITY;
  for (const number of numbers) least = Math.min(least, number);
  return least;
}
