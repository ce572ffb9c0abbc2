// The book: what goes into the journal and what is read back out of it after a crash. A decision is written before the
// upstream's first byte, its end after; the end carries the sealed span as it will be shipped. A decision without an
// end gets one at the next start that says so, with the ids that downstream saw.

import { CHAINS_ATTRIBUTE } from '../contract/attributes.ts';
import { CHAIN_START, type Sealed } from '../contract/audit-entry.ts';
import type { ChainBegan } from '../contract/budget.ts';
import { type ChainLink, chainRangesOf, chainRangesText } from '../contract/chain-ranges.ts';
import { type Amounts, minus, NOTHING, plus } from '../contract/money.ts';
import {
  chainLeft,
  decisionOf,
  type EndHeader,
  endOf,
  headerOf,
  keep,
  type Recovered,
  recover,
  snapshotOf,
  type Unsettled,
} from './book-frames.ts';
import type { Journal, Opened } from './edges/journal.ts';
import { FRAME_KINDS, type Frame } from './edges/journal-frames.ts';
import { type CallRecord, sealRecord } from './record.ts';
import { encodeRequest } from './span.ts';
import type { PurseState } from './state/leases/purse.ts';

export interface Book {
  /** Resolves once the kernel has it; where durability is strict, once it is on the disk. */
  decide(record: CallRecord, leases: readonly string[], held: Amounts): Promise<void>;
  end(record: CallRecord, settled: { decided: boolean; leases: readonly string[]; used: Amounts }): void;
  lease(state: PurseState): void;
  forgetLease(idOrNonce: string): void;
  readonly stream: string;
  /** Why this stream began, where another was left for it. */
  readonly began: ChainBegan | null;
  /** Refusals that have no record, for too much waits for room in the journal. */
  readonly unrecorded: number;
  /** Writes what found no room before, as far as there is some now. */
  writeOwed(): void;
  /** Seals what comes from now on in another stream: somebody else seals in this one. Throws as `decide` does. */
  leave(): void;
}

/** An end whose frame has no place yet, with the decision it ends. */
interface OwedEnd {
  readonly sealed: Sealed;
  readonly frame: Buffer;
  readonly decision: Unsettled | undefined;
  readonly leases: readonly string[];
  readonly used: Amounts;
}

/** With so few calls under way a decision waits for no others to be written with. */
const ALONE = 2;
/**
 * So many ends wait for room before a call that was never decided is refused without a record. Nothing of it left, and it
 * holds no money; the ends of decided calls always wait, and are no more than calls were under way when the journal filled.
 */
const OWED_MAX = 1_000;

export interface BookOptions {
  readonly strict: boolean;
  readonly newStream: () => string;
  /** Calls that others know to be ended, whether or not the journal still does. */
  readonly endedElsewhere: readonly string[];
  readonly ended: () => void;
  /** A frame that nobody waits for could not be written; the journal has said why. */
  readonly lost: (failure: unknown) => void;
  /** Calls once, when there may be room again. */
  readonly later: (call: () => void) => void;
}

/** `open` opens the journal and hands in what a new segment begins with. */
export function openBook(
  open: (snapshot: () => Buffer) => Opened,
  options: BookOptions,
): { book: Book; journal: Journal; recovered: Recovered } {
  let state = recover([]);
  /** Ends that could not be written yet, in the order of their seals; until they are, their decisions count as open. */
  let owed: OwedEnd[] = [];
  const beginStream = (): void => {
    state.stream = options.newStream();
    journal.append(FRAME_KINDS.snapshot, snapshotOf(state, posted)).catch(options.lost);
    journal.flush();
  };

  /** By the ends since the lease was last written: a snapshot must know of those before it, and of no others. */
  const posted = new Map<string, Amounts>();
  /** A link that is sealed and not written may never be: whoever reads this goes on before it. */
  const writtenState = (): Recovered => {
    const { seq, previous } = owed.find(({ sealed }) => sealed.stream === state.stream)?.sealed ?? state;
    return { ...state, seq, previous };
  };
  const opened = open(() => snapshotOf(writtenState(), posted));
  const { journal } = opened;
  state = recover(opened.recovered);
  for (const call of options.endedElsewhere) state.open.delete(call);
  const left = chainLeft(state, opened);
  if (left !== null || state.stream === '') {
    state = left ?? state;
    beginStream();
    journal.markDamage();
  }

  let lastFailure: unknown;
  let isComingBack = false;
  let unrecorded = 0;

  const payOwed = (): void => {
    if (owed.length === 0) return;
    const ends = owed;
    owed = [];
    for (const [i, end] of ends.entries()) {
      settle(end);
      try {
        journal.append(FRAME_KINDS.end, end.frame).catch((failure: unknown) => {
          unsettle(end);
          owe([end], failure);
        });
      } catch (failure) {
        unsettle(end);
        owe(ends.slice(i), failure);
        return;
      }
    }
  };

  /** Its frame is the journal's: what is opened next may count on it. */
  const settle = ({ decision, leases, used }: OwedEnd): void => {
    if (decision) state.open.delete(decision.record.callId);
    for (const lease of leases) posted.set(lease, plus(posted.get(lease) ?? NOTHING, used));
  };

  const unsettle = ({ decision, leases, used }: OwedEnd): void => {
    if (decision) state.open.set(decision.record.callId, decision);
    for (const lease of leases) posted.set(lease, minus(posted.get(lease) ?? NOTHING, used));
  };

  /** What ended comes first: a lease that counts it must not stand before it, nor a new call take its room. */
  const payAll = (): void => {
    payOwed();
    if (owed.length > 0) throw lastFailure;
  };

  const owe = (ends: readonly OwedEnd[], failure: unknown): void => {
    owed = [...owed, ...ends];
    lastFailure = failure;
    options.lost(failure);
    if (isComingBack) return;
    isComingBack = true;
    options.later(() => {
      isComingBack = false;
      payOwed();
      options.ended();
    });
  };

  /** What flush throws, `written` rejects with as well: once is enough. */
  const flushFor = (written: Promise<void>): void => {
    try {
      journal.flush();
    } catch {
      written.catch(() => undefined);
    }
  };

  const book: Book = {
    get stream() {
      return state.stream;
    },
    get began() {
      return state.began;
    },
    get unrecorded() {
      return unrecorded;
    },
    writeOwed: payOwed,
    leave() {
      payOwed();
      Object.assign(state, { seq: 0, previous: CHAIN_START, began: null });
      beginStream();
    },
    decide(record, leases, held) {
      payAll();
      const written = journal.append(FRAME_KINDS.decision, decisionOf({ record, leases, amounts: held }));
      state.open.set(record.callId, { record, leases, amounts: held });
      if (state.open.size <= ALONE) flushFor(written);
      return options.strict ? written.then(() => journal.synced()) : written;
    },
    end(record, { decided, leases, used }) {
      payOwed();
      if (!decided && owed.length >= OWED_MAX) {
        unrecorded += 1; // sealed, it would be a link that nobody ever finds
        return;
      }
      const sealed = sealRecord(record, { stream: state.stream, seq: state.seq, previous: state.previous });
      state.seq += 1;
      state.previous = sealed.hash;
      const decision = decided ? state.open.get(record.callId) : undefined;
      owed.push({ sealed, frame: endOf(record, sealed, leases, used), decision, leases, used });
      payOwed();
      options.ended();
    },
    lease(purse) {
      payAll();
      journal.append(FRAME_KINDS.lease, Buffer.from(JSON.stringify(purse))).catch(options.lost);
      // The flush may begin a new segment, whose snapshot must not know less than the frame before it.
      keep(state, purse);
      if (purse.lease !== null) posted.delete(purse.lease);
      journal.flush();
    },
    forgetLease(idOrNonce) {
      state.leases.delete(idOrNonce);
      posted.delete(idOrNonce);
    },
  };
  return { book, journal, recovered: state };
}

/** The spans of end frames as one OTLP request that says which links of the chain they are; undefined without any. */
export function spansOf(
  frames: readonly Frame[],
  resource: Readonly<Record<string, string>>,
): Buffer | undefined {
  const spans = frames.map(({ payload }) => payload.subarray(4 + payload.readUInt32LE(0)));
  if (spans.length === 0) return undefined;
  const links = frames.map(({ payload }) => headerOf(payload)).filter(isLink);
  const chains = links.length > 0 ? { [CHAINS_ATTRIBUTE]: chainRangesText(chainRangesOf(links)) } : {};
  return encodeRequest(spans, { ...resource, ...chains });
}

const isLink = (header: EndHeader): header is EndHeader & ChainLink => header.stream !== undefined;
