// The one who carries segments to the store, one after the other. While the store keeps up, a segment is sealed by its
// age; while it does not, by its size, so that an outage ends in few, full segments.

import type { Clock } from '../../kit/clock.ts';
import { sentenceOf } from '../../kit/log.ts';
import { SIGNALS, type Signal } from '../signals.ts';
import type { Alarm } from './alarm.ts';
import type { Backlog, WaitingSegment } from './backlog.ts';
import type { Digests } from './digests.ts';
import { type LandingWorld, landSegment } from './landing.ts';
import { REMEMBER_MS } from './manifest.ts';
import { Closing } from './patience.ts';
import type { Room } from './room.ts';
import type { Writers } from './writers.ts';

/** While the disk has no room for the store, how often it is asked again. */
const ROOM_AGAIN_MS = 1_000;

/** A segment that lay on disk this long is checked before it is loaded. */
const OLD_AFTER_MS = 60_000;

export interface LoadingWorld extends LandingWorld {
  readonly clock: Clock;
  readonly backlog: Backlog;
  readonly writers: Writers;
  readonly alarm: Alarm;
  readonly room: Pick<Room, 'mayLoad'>;
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
  const nowMs = world.clock.monotonicMs();
  const due = SIGNALS.filter((signal) => dueAtMs(world, signal) <= nowMs);
  for (const signal of due) await world.writers.of(signal).seal();
  const oldest = world.backlog.oldest();
  if (oldest && !(await world.room.mayLoad())) return world.alarm.rings(ROOM_AGAIN_MS);
  if (oldest) return landOldest(world, oldest);
  if (due.length > 0) return; // what was sealed was empty, and is gone
  const nextMs = Math.min(...SIGNALS.map((signal) => dueAtMs(world, signal)));
  await world.alarm.rings(Number.isFinite(nextMs) ? nextMs - nowMs : null);
}

/** A load of metrics is five statements, most of whose time is their analysis: they gather for longer. */
const GATHERS: Readonly<Record<Signal, number>> = { traces: 1, logs: 1, metrics: 5 };

/** When to seal what is being written. Never while an older segment of its signal waits: it may as well grow. */
function dueAtMs({ writers, backlog, loadAfterMs }: LoadingWorld, signal: Signal): number {
  const active = writers.of(signal).active();
  const isBehind = backlog.holds(signal);
  return active && !isBehind ? active.sinceMs + GATHERS[signal] * loadAfterMs : Number.POSITIVE_INFINITY;
}

async function landOldest(world: LoadingWorld, oldest: WaitingSegment): Promise<void> {
  const isOld = oldest.isLeft || world.clock.monotonicMs() - oldest.sinceMs > OLD_AFTER_MS;
  await landSegment(world, oldest, isOld);
  world.backlog.landed();
  world.digests.forget(world.clock.nowMs() - REMEMBER_MS);
}
