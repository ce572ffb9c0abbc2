// The book: what goes into the journal and what is read back out of it after a crash. A decision is written before the
// upstream's first byte, its end after; the end carries the sealed span as it will be shipped. A decision without an
// end gets one at the next start that says so, with the ids that downstream saw.

import { CHAINS_ATTRIBUTE } from '../contract/attributes.ts';
import { CHAIN_START, type Sealed } from '../contract/audit-entry.ts';
import { type ChainLink, chainRangesOf, chainRangesText } from '../contract/chain-ranges.ts';
import {
  type Amounts,
  type AmountsMessage,
  fromMessage,
  NOTHING,
  plus,
  toMessage,
} from '../contract/money.ts';
import type { Journal } from './edges/journal.ts';
import { FRAME_KINDS, type Frame } from './edges/journal-frames.ts';
import { type CallRecord, sealRecord } from './record.ts';
import { encodeRequest, encodeSpan } from './span.ts';
import type { PurseState } from './state/leases/purse.ts';

export interface Book {
  /** Resolves once the kernel has it; where durability is strict, once it is on the disk. */
  decide(record: CallRecord, leases: readonly string[], held: Amounts): Promise<void>;
  end(record: CallRecord, settled: { decided: boolean; leases: readonly string[]; used: Amounts }): void;
  lease(state: PurseState): void;
  forgetLease(idOrNonce: string): void;
  readonly stream: string;
}

/** A decision whose end was not found. */
export interface Unsettled {
  readonly record: CallRecord;
  readonly leases: readonly string[];
  readonly amounts: Amounts;
}

/** What the frames of a journal add up to. */
export interface Recovered {
  stream: string;
  seq: number;
  previous: string;
  /** By their ids, or by their nonces while they are only asked for. */
  readonly leases: Map<string, PurseState>;
  readonly open: Map<string, Unsettled>;
}

interface EndHeader {
  readonly call: string;
  readonly leases: readonly string[];
  readonly used: AmountsMessage;
  /** Not said by an older release. */
  readonly stream?: string;
  readonly seq: number;
  readonly hash: string;
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
  open: (snapshot: () => Buffer) => { journal: Journal; recovered: readonly Frame[] },
  options: BookOptions,
): { book: Book; journal: Journal; recovered: Recovered } {
  let state: Recovered = { stream: '', seq: 0, previous: CHAIN_START, leases: new Map(), open: new Map() };
  /** Ended since the lease was last written: a snapshot must not know less than the ends before it. */
  const posted = new Map<string, Amounts>();
  const opened = open(() => snapshotOf(state, posted));
  const { journal } = opened;
  state = recover(opened.recovered);
  if (state.stream === '') {
    state.stream = options.newStream();
    journal.append(FRAME_KINDS.snapshot, snapshotOf(state, posted)).catch(options.lost);
    journal.flush();
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

const headerOf = (payload: Buffer): EndHeader =>
  JSON.parse(payload.subarray(4, 4 + payload.readUInt32LE(0)).toString()) as EndHeader;

const isLink = (header: EndHeader): header is EndHeader & ChainLink => header.stream !== undefined;

export function recover(frames: readonly Frame[]): Recovered {
  let state: Recovered = { stream: '', seq: 0, previous: CHAIN_START, leases: new Map(), open: new Map() };
  for (const { kind, payload } of frames) {
    if (kind === FRAME_KINDS.snapshot) state = recoverSnapshot(payload);
    else if (kind === FRAME_KINDS.decision) {
      const decision = reviveDecision(JSON.parse(payload.toString()) as StoredDecision);
      state.open.set(decision.record.callId, decision);
    } else if (kind === FRAME_KINDS.lease) {
      keep(state, JSON.parse(payload.toString()) as PurseState);
    } else recoverEnd(state, payload);
  }
  return state;
}

function recoverEnd(state: Recovered, payload: Buffer): void {
  const header = headerOf(payload);
  state.open.delete(header.call);
  // An end that was written late may stand behind its successors.
  if (header.seq >= state.seq) {
    state.seq = header.seq + 1;
    state.previous = header.hash;
  }
  for (const lease of header.leases) postTo(state, lease, fromMessage(header.used));
}

function keep({ leases }: Recovered, purse: PurseState): void {
  if (purse.lease !== null) leases.delete(purse.nonce);
  leases.set(purse.lease ?? purse.nonce, purse);
}

function postTo(state: Recovered, lease: string, used: Amounts): void {
  const purse = state.leases.get(lease);
  if (purse) state.leases.set(lease, withPosted(purse, used));
}

const withPosted = (purse: PurseState, more: Amounts = NOTHING): PurseState => ({
  ...purse,
  posted: toMessage(plus(fromMessage(purse.posted), more)),
});

// ---- frames ----

interface StoredDecision {
  readonly record: Omit<CallRecord, 'costNanodollars' | 'heldNanodollars'> & {
    readonly costNanodollars: string | null;
    readonly heldNanodollars: string;
  };
  readonly leases: readonly string[];
  readonly amounts: AmountsMessage;
}

const storedDecision = ({ record, leases, amounts }: Unsettled): StoredDecision => ({
  record: {
    ...record,
    costNanodollars: record.costNanodollars === null ? null : record.costNanodollars.toString(),
    heldNanodollars: record.heldNanodollars.toString(),
  },
  leases,
  amounts: toMessage(amounts),
});

const decisionOf = (decision: Unsettled): Buffer => Buffer.from(JSON.stringify(storedDecision(decision)));

/** What a decision that an older release left behind does not say. */
const FROM_AN_OLDER_RELEASE = { attempt: 1, retryOf: '', asked: '', clientRetries: 0 } as const;

function reviveDecision({ record, leases, amounts }: StoredDecision): Unsettled {
  return {
    record: {
      ...FROM_AN_OLDER_RELEASE,
      ...record,
      costNanodollars: record.costNanodollars === null ? null : BigInt(record.costNanodollars),
      heldNanodollars: BigInt(record.heldNanodollars),
      // a journal of an older release has neither
      deadLetter: record.deadLetter ?? null,
      replayOf: record.replayOf ?? '',
    },
    leases,
    amounts: fromMessage(amounts),
  };
}

function endOf(record: CallRecord, sealed: Sealed, leases: readonly string[], used: Amounts): Buffer {
  const header: EndHeader = {
    call: record.callId,
    leases,
    used: toMessage(used),
    stream: sealed.stream,
    seq: sealed.seq,
    hash: sealed.hash,
  };
  const text = Buffer.from(JSON.stringify(header));
  const span = encodeSpan(record, sealed);
  const frame = Buffer.allocUnsafe(4 + text.length + span.length);
  frame.writeUInt32LE(text.length, 0);
  text.copy(frame, 4);
  span.copy(frame, 4 + text.length);
  return frame;
}

interface StoredSnapshot {
  readonly stream: string;
  readonly seq: number;
  readonly previous: string;
  readonly leases: readonly PurseState[];
  readonly open: readonly StoredDecision[];
}

function snapshotOf(state: Recovered, posted: ReadonlyMap<string, Amounts>): Buffer {
  const stored: StoredSnapshot = {
    stream: state.stream,
    seq: state.seq,
    previous: state.previous,
    leases: [...state.leases.values()].map((purse) => withPosted(purse, posted.get(purse.lease ?? ''))),
    open: [...state.open.values()].map(storedDecision),
  };
  return Buffer.from(JSON.stringify(stored));
}

function recoverSnapshot(payload: Buffer): Recovered {
  const stored = JSON.parse(payload.toString()) as StoredSnapshot;
  return {
    stream: stored.stream,
    seq: stored.seq,
    previous: stored.previous,
    leases: new Map(stored.leases.map((purse) => [purse.lease ?? purse.nonce, purse])),
    open: new Map(stored.open.map((each) => [each.record.callId, reviveDecision(each)])),
  };
}
