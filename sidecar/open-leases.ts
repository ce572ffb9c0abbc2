// What this sidecar may spend, as it stood when it last stopped or was killed.

import { agentNamed, type Config } from '../contract/config/config.ts';
import type { Clock } from '../kit/clock.ts';
import type { Lifecycle } from '../kit/lifecycle.ts';
import { type Log, sentenceOf } from '../kit/log.ts';
import { randomHex } from './accept/lineage.ts';
import type { Book } from './book.ts';
import type { Recovered } from './book-frames.ts';
import { crashNoteOf } from './dead-letters/dead-letters.ts';
import type { ControlPlane } from './edges/control-plane.ts';
import type { Edges } from './edges/edges.ts';
import type { Shipper } from './edges/shipper.ts';
import { createLeases, type Leases } from './state/leases/leases.ts';

export interface LeasesOptions {
  readonly instance: string;
  /** The config in force. */
  inForce(): Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly lifecycle: Pick<Lifecycle, 'onStop'>;
  /** Different at every call; random when not given. */
  readonly nonce?: () => string;
}

/** What of the outside world money needs. */
export interface LeaseEdges {
  readonly book: Book;
  readonly recovered: Recovered;
  readonly control: Pick<ControlPlane, 'ask'>;
  readonly shipper: Pick<Shipper, 'nudge'>;
  readonly deadLetters: Pick<Edges['deadLetters'], 'found'>;
}

/** Leases as they were when this sidecar last stopped: calls whose end was not found are ended and posted at their hold. */
export function openLeases(
  { instance, inForce, clock, log, lifecycle, nonce = () => randomHex(12) }: LeasesOptions,
  edges: LeaseEdges,
): Leases {
  const { book, control, recovered, shipper, deadLetters } = edges;
  let lastFailure = '';
  const leases = createLeases({
    instance,
    money: () => inForce().money,
    tasksAreLimited: (agent) => (agentNamed(inForce(), agent)?.taskBudgets.length ?? 0) > 0,
    clock,
    nonce,
    ask: (request) => control.ask(request),
    record: (state) => book.lease(state),
    forget: (lease) => book.forgetLease(lease),
    unanswered(failure) {
      const sentence = sentenceOf(failure);
      if (sentence !== lastFailure) log.warn('ledger.unanswered', { failure: sentence });
      lastFailure = sentence;
    },
  });
  lifecycle.onStop('leases', () => leases.close());
  const unsettled = [...recovered.open.values()];
  const states = [...recovered.leases.values()];
  for (const { record: decided, leases: from, amounts } of unsettled) {
    const record = { ...decided, deadLetter: crashNoteOf(decided) };
    deadLetters.found(record);
    log.warn('call.outcome_unknown', { call: record.callId, agent: record.agent, target: record.target });
    book.end(record, { decided: true, leases: from, used: amounts });
  }
  leases.restore(states, unsettled);
  shipper.nudge();
  return leases;
}
