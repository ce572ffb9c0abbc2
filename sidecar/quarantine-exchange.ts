// Keeps the list of what is held apart as the collector has it: from disk at the start, asked for once before the first
// call, and again whenever its revision is another. What was heard is in force before it is kept.

import type { QuarantineLine } from '../contract/quarantine.ts';
import type { Clock } from '../kit/clock.ts';
import { type Log, sentenceOf } from '../kit/log.ts';
import type { ControlPlane } from './edges/control-plane.ts';
import type { QuarantineFile } from './edges/quarantine-file.ts';
import type { Quarantine } from './state/quarantine.ts';

export interface QuarantineExchange {
  /** In an event, or in the answer to a heartbeat. Undefined from a collector that knows no quarantine. */
  heard(revision: number | undefined): void;
  /** Settles when the collector has answered, or has not for a moment. Never rejects. */
  readonly asked: Promise<void>;
  stop(): void;
}

/** A start waits no longer for a collector that is away. */
const FIRST_ANSWER_MS = 300;
const ASK_AGAIN_MS = 500;

/** Throws an Error with one sentence when what was kept cannot be read. */
export function createQuarantineExchange(use: {
  readonly control: ControlPlane;
  readonly quarantine: Quarantine;
  readonly file: QuarantineFile;
  /** What is held apart is another now: calls under way may have to end. */
  changed(): void;
  readonly clock: Clock;
  readonly log: Log;
}): QuarantineExchange {
  const { control, quarantine, file, clock, log } = use;
  let known: number | undefined;
  let wanted: number | undefined;
  let busy = false;
  let stopped = false;
  let asks = 0;
  let answered = 0;

  const inForce = (lines: readonly QuarantineLine[]): void => {
    const before = quarantine.size;
    quarantine.learn(lines);
    if (lines.length > 0 || before > 0)
      log.warn('quarantine.in_force', {
        subjects: lines.map(({ subject }) => subject).slice(0, 20),
        all: lines.length,
      });
    use.changed();
  };

  const keep = (lines: readonly QuarantineLine[]): void => {
    try {
      file.write(lines);
    } catch (failure) {
      log.error('quarantine.not_kept', { failure: sentenceOf(failure) });
    }
  };

  const ask = async (): Promise<void> => {
    asks += 1;
    const place = asks;
    const lines = await control.quarantine();
    if (stopped || place < answered) return; // what was asked for later is in force already
    answered = place;
    inForce(lines);
    keep(lines);
  };

  const moment = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));

  const follow = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    while (wanted !== known && !stopped) {
      const revision = wanted;
      try {
        await ask();
        known = revision;
      } catch (failure) {
        log.info('quarantine.not_heard', { failure: sentenceOf(failure) });
        await moment(ASK_AGAIN_MS);
      }
    }
    busy = false;
  };

  const kept = file.read();
  if (kept.length > 0) inForce(kept);
  const first = ask().catch((failure) => log.info('quarantine.not_heard', { failure: sentenceOf(failure) }));

  return {
    heard(revision) {
      if (revision === undefined) return;
      wanted = revision;
      void follow();
    },
    asked: Promise.race([first, moment(FIRST_ANSWER_MS)]),
    stop() {
      stopped = true;
    },
  };
}
