// The book: what goes into the journal and what is read back out of it after a crash. A decision is written before the
// upstream's first byte, its end after; the end carries the sealed span as it will be shipped. A decision without an
// end gets one at the next start that says so, with the ids that downstream saw.

import { CHAINS_ATTRIBUTE } from '../contract/attributes.ts';
import { CHAIN_START } from '../contract/audit-entry.ts';
import type { ChainBegan } from '../contract/budget.ts';
import { type ChainLink, chainRangesOf, chainRangesText } from '../contract/chain-ranges.ts';
import { type Amounts, NOTHING, plus } from '../contract/money.ts';
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
  /** Seals what comes from now on in another stream: somebody else seals in this one. Throws as `decide` does. */
  leave(): void;
}

/** An end whose frame has no place yet, with the decision it ends. */
interface OwedEnd {
  readonly frame: Buffer;
  readonly decision: Unsettled | undefined;
}

/** With so few calls under way a decision waits for no others to be written with. */
const ALONE = 2;

export interface BookOptions {
  readonly strict: boolean;
  readonly newStream: () => string;
  readonly ended: () => void;
  /** A frame that nobody waits for could not be written; the journal has said why. */
  readonly lost: (failure: unknown) => void;
}

/** `open` opens the journal and hands in what a new segment begins with. */
export function openBook(
  open: (snapshot: () => Buffer) => Opened,
  options: BookOptions,
): { book: Book; journal: Journal; recovered: Recovered } {
  let state = recover([]);
  const beginStream = (): void => {
    state.stream = options.newStream();
    journal.append(FRAME_KINDS.snapshot, snapshotOf(state, posted)).catch(options.lost);
    journal.flush();
  };

  /** Ended since the lease was last written: a snapshot must not know less than the ends before it. */
  const posted = new Map<string, Amounts>();
  const opened = open(() => snapshotOf(state, posted));
  const { journal } = opened;
  state = recover(opened.recovered);
  const left = chainLeft(state, opened);
  if (left !== null || state.stream === '') {
    state = left ?? state;
    beginStream();
    journal.markDamage();
  }

  /** Ends that could not be written yet, in the order of their seals; until they are, their decisions count as open. */
  let owed: OwedEnd[] = [];

  const payOwed = (): void => {
    if (owed.length === 0) return;
    const ends = owed;
    owed = [];
    for (const [i, end] of ends.entries()) {
      const failed = (failure: unknown): void => owe(end, failure);
      if (end.decision) state.open.delete(end.decision.record.callId);
      try {
        journal.append(FRAME_KINDS.end, end.frame).catch(failed);
      } catch (failure) {
        ends.slice(i).forEach((each) => void owe(each, failure));
        return;
      }
    }
  };

  const owe = (end: OwedEnd, failure: unknown): void => {
    owed.push(end);
    if (end.decision) state.open.set(end.decision.record.callId, end.decision);
    options.lost(failure);
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
    leave() {
      payOwed();
      Object.assign(state, { seq: 0, previous: CHAIN_START, began: null });
      beginStream();
    },
    decide(record, leases, held) {
      payOwed();
      const written = journal.append(FRAME_KINDS.decision, decisionOf({ record, leases, amounts: held }));
      state.open.set(record.callId, { record, leases, amounts: held });
      if (state.open.size <= ALONE) flushFor(written);
      return options.strict ? written.then(() => journal.synced()) : written;
    },
    end(record, { decided, leases, used }) {
      const sealed = sealRecord(record, { stream: state.stream, seq: state.seq, previous: state.previous });
      state.seq += 1;
      state.previous = sealed.hash;
      for (const lease of leases) posted.set(lease, plus(posted.get(lease) ?? NOTHING, used));
      const decision = decided ? state.open.get(record.callId) : undefined;
      owed.push({ frame: endOf(record, sealed, leases, used), decision });
      payOwed();
      options.ended();
    },
    lease(purse) {
      payOwed();
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
