// What the book's frames hold, and what they add up to when a journal is read again: the chain's head, the leases, and
// the decisions whose end was not found. A snapshot says all of it at once.

import { CHAIN_START, type Sealed } from '../contract/audit-entry.ts';
import type { ChainBegan } from '../contract/budget.ts';
import {
  type Amounts,
  type AmountsMessage,
  fromMessage,
  NOTHING,
  plus,
  toMessage,
} from '../contract/money.ts';
import type { Opened } from './edges/journal.ts';
import { FRAME_KINDS, type Frame } from './edges/journal-frames.ts';
import type { Damage } from './edges/journal-segments.ts';
import type { CallRecord } from './record.ts';
import { encodeSpan } from './span.ts';
import type { PurseState } from './state/leases/purse.ts';

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
  /** Why the stream began, where another was left for it. */
  began: ChainBegan | null;
}

export interface EndHeader {
  readonly call: string;
  readonly leases: readonly string[];
  readonly used: AmountsMessage;
  /** Not said by an older release. */
  readonly stream?: string;
  readonly seq: number;
  readonly hash: string;
}

const beginning = (): Recovered => ({
  stream: '',
  seq: 0,
  previous: CHAIN_START,
  leases: new Map(),
  open: new Map(),
  began: null,
});

export function recover(frames: readonly Frame[]): Recovered {
  let state = beginning();
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

/**
 * Where frames were lost: what is left, for another chain to begin with. Null where none were, or a start before this one
 * has begun another already. If no snapshot follows what was lost, it may have held money: the leases are not kept, so the
 * ledger counts them as spent until it hears better. A call whose end was lost is ended again, for it may have had none;
 * but not one whose end others are known to have.
 */
export function chainLeft(state: Recovered, { recovered, damage }: Opened): Recovered | null {
  const snapshot = recovered.findLast(({ kind }) => kind === FRAME_KINDS.snapshot);
  const isSince = ({ segment, offset }: Damage): boolean =>
    !snapshot || segment > snapshot.segment || (segment === snapshot.segment && offset >= snapshot.end);
  if (!damage.some((hole) => !hole.known || isSince(hole))) return null;
  const damagedBytes = damage.reduce((sum, { offset, end }) => sum + end - offset, 0);
  return {
    ...beginning(),
    leases: damage.some(isSince) ? new Map() : state.leases,
    open: state.open,
    began: { after: state.stream, seq: state.seq, damagedBytes },
  };
}

export const headerOf = (payload: Buffer): EndHeader =>
  JSON.parse(payload.subarray(4, 4 + payload.readUInt32LE(0)).toString()) as EndHeader;

function recoverEnd(state: Recovered, payload: Buffer): void {
  const header = headerOf(payload);
  state.open.delete(header.call);
  // An end that was written late may stand behind its successors, or in a stream that was begun since.
  if (header.seq >= state.seq && (header.stream ?? state.stream) === state.stream) {
    state.seq = header.seq + 1;
    state.previous = header.hash;
  }
  for (const lease of header.leases) postTo(state, lease, fromMessage(header.used));
}

export function keep({ leases }: Recovered, purse: PurseState): void {
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

export const decisionOf = (decision: Unsettled): Buffer =>
  Buffer.from(JSON.stringify(storedDecision(decision)));

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

export function endOf(record: CallRecord, sealed: Sealed, leases: readonly string[], used: Amounts): Buffer {
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
  readonly began?: ChainBegan;
}

export function snapshotOf(state: Recovered, posted: ReadonlyMap<string, Amounts>): Buffer {
  const stored: StoredSnapshot = {
    stream: state.stream,
    seq: state.seq,
    previous: state.previous,
    leases: [...state.leases.values()].map((purse) => withPosted(purse, posted.get(purse.lease ?? ''))),
    open: [...state.open.values()].map(storedDecision),
    ...(state.began ? { began: state.began } : {}),
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
    began: stored.began ?? null,
  };
}
