// The one who carries segments to the store, one after the other. While the store keeps up, a segment is sealed by its
// age; while it does not, by its size, so that an outage ends in few, full segments.

import type { Clock } from '../../kit/clock.ts';
import { sentenceOf } from '../../kit/log.ts';
import type { Alarm } from './alarm.ts';
import type { Backlog, WaitingSegment } from './backlog.ts';
import type { Digests } from './digests.ts';
import { type LandingWorld, landSegment } from './landing.ts';
import { REMEMBER_MS } from './manifest.ts';
import { Closing } from './patience.ts';
import type { Writer } from './writer.ts';

/** A segment that lay on disk this long is checked before it is loaded. */
const OLD_AFTER_MS = 60_000;

export interface LoadingWorld extends LandingWorld {
  readonly clock: Clock;
  readonly backlog: Backlog;
  readonly writer: Writer;
  readonly alarm: Alarm;
  readonly digests: Digests;
  readonly loadAfterMs: number;
  isClosed(): boolean;
}

/** Resolves once the queue is closed. */
export async function carrySegments(world: LoadingWorld): Promise<void> {
  const failed = (failure: unknown) => world.log.error('queue.step_failed', { reason: sentenceOf(failure) });
  while (!world.isClosed()) {
    try {
      await world.patience.insist(() => step(world), failed, isClosing);
    } catch (failure) {
      if (!isClosing(failure)) throw failure;
    }
  }
}

const isClosing = (failure: unknown): boolean => failure instanceof Closing;

async function step(world: LoadingWorld): Promise<void> {
  const oldest = world.backlog.oldest();
  if (oldest) return landOldest(world, oldest);
  const active = world.writer.active();
  const dueInMs = active ? active.sinceMs + world.loadAfterMs - world.clock.monotonicMs() : null;
  if (dueInMs !== null && dueInMs <= 0) await world.writer.seal();
  else await world.alarm.rings(dueInMs);
}

async function landOldest(world: LoadingWorld, oldest: WaitingSegment): Promise<void> {
  const isOld = oldest.isLeft || world.clock.monotonicMs() - oldest.sinceMs > OLD_AFTER_MS;
  await landSegment(world, oldest, isOld);
  world.backlog.landed();
  world.digests.forget(world.clock.nowMs() - REMEMBER_MS);
}
