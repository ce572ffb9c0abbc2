// What happens to a call, closed exactly once on every path: answered, refused, broken, hung up before byte one, hung
// up in the middle. Closing settles the money, seals the record, then traces.

import type { Verdict } from '../contract/attributes.ts';
import { type Amounts, formatDollars, NOTHING } from '../contract/money.ts';
import { Refusal } from '../contract/refusals.ts';
import type { Clock } from '../kit/clock.ts';
import { type Log, sentenceOf } from '../kit/log.ts';
import type { Turn } from '../kit/turn.ts';
import type { Book } from './book.ts';
import type { Accepted, Answer, Answered, Credentialed, Known } from './call.ts';
import { type Charge, charge, type Ending, totalTokens } from './charge.ts';
import type { DeadLetterNote, DeadLetters } from './dead-letters/dead-letters.ts';
import type { Metered } from './dialects/metered.ts';
import type { SendFailure } from './edges/upstreams.ts';
import { outcomeOf } from './outcome.ts';
import type { CallRecord } from './record.ts';
import { recordOf } from './record-of.ts';
import type { Outcome } from './state/circuit.ts';

export interface Trail {
  /** What is known of it at any moment. */
  readonly call: Known;
  readonly closed: boolean;
  /** The decision, into the journal before the first upstream byte. Throws Refusal `audit_unavailable`. */
  decide(call: Credentialed): Promise<void>;
  /** How to stop the upstream exchange, should the agent hang up. */
  onHangUp(abort: (reason: Error) => void): void;
  /** Whether a byte may have reached the upstream. */
  sent(sent: boolean): void;
  /** The answer's head came; `metered` reads what its bytes have said so far. */
  answering(answer: Answer, metered: () => Metered | null): void;
  /** The first token came, or the first byte of an answer whose tokens nobody can see. */
  spoke(): void;
  /** The agent's connection is gone. Nothing happens where the call has ended. */
  hangUp(): void;
  answered(): void;
  /** We ended the stream where its hold was used up; `outputTokens` were surely made. */
  cut(outputTokens: number): void;
  broken(failure: SendFailure | null): void;
  /** `httpStatus` is what the agent got for it. */
  refused(refusal: Refusal, httpStatus: number): void;
  /** How to end an answer that has begun; asked again where it did not come to its end in time: then at once. */
  onInterrupt(means: (refusal: Refusal) => void): void;
  /** Ends an answer that has begun, for the agent may not go on. False where none has: then the call is refused. */
  interrupt(refusal: Refusal): boolean;
  /** The answer was ended; `legally` where its dialect lets it end. */
  interrupted(refusal: Refusal, legally: boolean): void;
  /**
   * Another attempt follows, and the agent gets nothing of this one: the upstream's answer, or what was thrown instead.
   * Its money is settled at once, for the next one to hold.
   */
  followed(failure: Refusal | null): void;
  /** Gives back what a stage took after the trail had closed (the agent hung up while it waited). */
  abandon(): void;
}

export interface TrailServices {
  readonly book: Book;
  readonly deadLetters: DeadLetters;
  readonly clock: Clock;
  readonly turn: Turn;
  readonly log: Log;
  /** Calls that have not ended. */
  readonly underWay: Set<Trail>;
  ended(record: CallRecord): void;
  /** The answer began well, and its stream said that too much was asked. */
  throttled(call: Answered): void;
}

export function openTrail(accepted: Accepted, use: TrailServices): Trail {
  const call: Known = accepted;
  let abort: ((reason: Error) => void) | null = null;
  let interrupt: ((refusal: Refusal) => void) | null = null;
  let metered: () => Metered | null = () => null;
  let sent = false;
  let decided = false;
  let closed = false;
  let settled = false;
  let counted = false;
  let firstByteMs: number | null = null;
  let firstTokenMs: number | null = null;
  let upstreamStatus = 0;

  /** Closed from now on; the rest is done at the end of the turn, together with what else ends in it. */
  const close = (ending: () => Ending, httpStatus: number, refusal: Refusal | null): void => {
    if (closed) return;
    const durationMs = elapse();
    use.turn.defer(() => finish(readable(ending), httpStatus, refusal, durationMs));
  };

  const elapse = (): number => {
    closed = true;
    use.underWay.delete(trail);
    return use.clock.monotonicMs() - call.startedMonotonicMs;
  };

  /** An answer that cannot be read even in part is one that broke off: its call ends all the same, and pays its hold. */
  const readable = (ending: () => Ending): Ending => {
    try {
      return ending();
    } catch (failure) {
      use.log.error('call.answer_unreadable', { call: call.id, failure: sentenceOf(failure) });
      return { kind: 'broken', metered: null, failure: null };
    }
  };

  /** Whatever a body makes of it, the call is settled and on record. */
  const letterOf = (ending: Ending, charged: Charge): DeadLetterNote | null => {
    try {
      return use.deadLetters.noteOf(call, ending, charged, upstreamStatus);
    } catch (failure) {
      use.log.error('dead_letter.not_noted', { call: call.id, failure: sentenceOf(failure) });
      return null;
    }
  };

  /** `superseded`: another attempt follows, and it is that one's end that counts. */
  const finish = (
    ending: Ending,
    httpStatus: number,
    refusal: Refusal | null,
    durationMs: number,
    superseded = false,
  ): void => {
    const charged = charge(call, ending, call.policy.prices);
    const record = recordOf(call, charged, {
      httpStatus,
      upstreamStatus,
      refusal,
      metered: 'metered' in ending ? ending.metered : null,
      verdicts: verdictsOf(call),
      durationMs,
      firstByteMs,
      deadLetter: superseded ? null : letterOf(ending, charged),
    });
    try {
      use.book.end(record, { decided, leases: call.hold?.leases ?? [], used: charged.used });
    } catch (failure) {
      use.log.error('record.not_written', { call: call.id, failure: sentenceOf(failure) });
    }
    const outcome = outcomeOf({
      ending: ending.kind,
      refusal: refusal?.code ?? '',
      status: upstreamStatus,
      errorType: charged.errorType,
      late: isLate(call, firstTokenMs ?? durationMs),
    });
    settle(charged.used, outcome);
    counted = call.rated !== undefined;
    call.rated?.correct(tokensOf(charged));
    if (outcome === 'throttled' && upstreamStatus < 400) use.throttled(call as Answered);
    warnOfOverrun(charged);
    use.ended(record);
  };

  const settle = (used: Amounts, outcome: Outcome): void => {
    call.permit?.report(outcome);
    call.passage?.ended(false); // unless an answer's head has said otherwise
    if (settled) return;
    settled = call.hold !== undefined;
    call.hold?.settle(used);
  };

  const warnOfOverrun = (charged: Charge): void => {
    if (!call.held || charged.used.nanodollars <= call.held.nanodollars) return;
    use.log.warn('call.overrun', {
      call: call.id,
      held: formatDollars(call.held.nanodollars),
      used: formatDollars(charged.used.nanodollars),
    });
  };

  const trail: Trail = {
    call,
    get closed() {
      return closed;
    },
    async decide(credentialed) {
      if (closed) throw new Refusal('bad_request', 'The agent hung up.', { reason: 'client_closed' });
      const pending = pendingCharge(credentialed);
      const record = recordOf(credentialed, pending, {
        httpStatus: 0,
        upstreamStatus: 0,
        refusal: null,
        metered: null,
        verdicts: verdictsOf(credentialed),
        durationMs: 0,
        firstByteMs: null,
        deadLetter: use.deadLetters.noteBefore(credentialed),
      });
      const written = use.book.decide(record, credentialed.hold?.leases ?? [], credentialed.held);
      decided = true;
      await written;
      if (closed) throw new Refusal('bad_request', 'The agent hung up.', { reason: 'client_closed' });
    },
    onHangUp(means) {
      abort = means;
      sent = true;
    },
    sent(value) {
      sent = value;
    },
    answering(answer, reader) {
      sent = true;
      metered = reader;
      upstreamStatus = answer.status;
      firstByteMs = use.clock.monotonicMs() - call.startedMonotonicMs;
    },
    spoke() {
      firstTokenMs = use.clock.monotonicMs() - call.startedMonotonicMs;
    },
    hangUp() {
      if (closed) return;
      close(() => ({ kind: 'hung_up', metered: metered(), sent }), upstreamStatus, null);
      abort?.(new Error('the agent hung up'));
    },
    answered() {
      close(() => ({ kind: 'answered', metered: metered(), upstreamStatus }), upstreamStatus, null);
    },
    cut(outputTokens) {
      const refusal = new Refusal('over_budget', 'The stream was ended where its hold was used up.', {
        reason: 'cut_at_hold',
      });
      close(() => ({ kind: 'cut', metered: metered(), outputTokens }), upstreamStatus, refusal);
    },
    broken(failure) {
      close(() => ({ kind: 'broken', metered: metered(), failure }), upstreamStatus, null);
    },
    refused(refusal, httpStatus) {
      close(() => ({ kind: 'refused', refusal, sent }), httpStatus, refusal);
      abort?.(refusal); // nobody waits for an answer any more
    },
    onInterrupt(means) {
      interrupt = means;
    },
    interrupt(refusal) {
      interrupt?.(refusal);
      return interrupt !== null;
    },
    interrupted(refusal, legally) {
      close(() => ({ kind: 'interrupted', metered: metered(), refusal, legally }), upstreamStatus, refusal);
    },
    followed(failure) {
      if (closed) return;
      const durationMs = elapse();
      const ending = (): Ending =>
        failure
          ? { kind: 'refused', refusal: failure, sent }
          : { kind: 'answered', metered: metered(), upstreamStatus };
      finish(readable(ending), 0, failure, durationMs, true);
    },
    abandon() {
      use.turn.defer(() => {
        settle(NOTHING, 'ignored');
        if (!counted) call.rated?.giveBack(); // taken for a call that was never sent
      });
    },
  };
  use.underWay.add(trail);
  return trail;
}

/** As if the end were never found: what a crash between decision and end leaves behind. */
function pendingCharge(call: Credentialed): Charge {
  const priced = call.price !== null && call.hold !== null;
  return {
    status: 'failure',
    errorType: 'outcome_unknown',
    used: priced ? call.held : NOTHING,
    cost:
      call.price === null && call.description && call.endpoint?.billed !== 'free'
        ? null
        : call.held.nanodollars,
    usage: null,
    source: priced ? 'estimated' : 'none',
    model: call.description?.model ?? '',
  };
}

/** As reported where it was, else as the hold is charged. */
const tokensOf = ({ usage, used }: Charge): number => (usage ? totalTokens(usage) : Number(used.tokens));

/** Only a stream is: a whole answer takes as long as its model writes. */
function isLate({ policy, description }: Known, firstTokenMs: number): boolean {
  if (description?.stream !== true) return false;
  const { slow } = policy.config.breakers;
  return slow !== null && firstTokenMs > slow.firstTokenMs;
}

/** What was in force and what enforcing would have said; they differ only in observe mode. Not judged is denied. */
function verdictsOf({ judgement, agent }: Known): { verdict: Verdict; would: Verdict } {
  const would = judgement?.verdict ?? 'deny';
  const passes = judgement && agent?.mode === 'observe' && (would === 'deny' || would === 'ask');
  return { verdict: passes ? 'allow' : would, would };
}
