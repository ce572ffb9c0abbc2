// A queue on a disk and a clock of the test's own, in front of a store that remembers: what tests of its faults stand on.

import type { Loader, Segment } from '../../../collector/queue/loader.ts';
import { openQueue, type Queue, type QueueOptions } from '../../../collector/queue/queue.ts';
import { digestOf } from '../../../collector/queue/record.ts';
import { silentLog } from '../../../kit/log.ts';
import { type ManualClock, manualClock } from '../../support/manual-clock.ts';
import { requestOf, spanIdOf } from '../receive/otlp-messages.ts';
import { type ForgetfulDisk, forgetfulDisk, type Operation } from './forgetful-disk.ts';
import { rememberingStore } from './remembering-store.ts';

export const request = (number: number) => requestOf([{ spanId: spanIdOf(number), name: `span ${number}` }]);
export const digests = (...numbers: number[]) =>
  numbers.map((each) => digestOf(request(each)).toString('hex'));
export const upTo = (count: number) => Array.from({ length: count }, (_, number) => number);
export const failure = (code: string) => Object.assign(new Error(code), { code });

export interface Bench {
  readonly clock: ManualClock;
  readonly disk: ForgetfulDisk;
  open(options?: Partial<QueueOptions>): Promise<Queue>;
  /** Turns the clock until `done` resolves. */
  until<T>(done: Promise<T>): Promise<T>;
}

/** `fault` is asked at each operation of the disk. */
export function bench(fault: (operation: Operation) => Error | null = () => null): Bench {
  const clock = manualClock();
  const disk = forgetfulDisk(() => clock.nowMs());
  const life = disk.live(fault);
  return {
    clock,
    disk,
    open: (options = {}) =>
      openQueue({
        directory: '/queue',
        loader: storeOn(disk),
        log: silentLog,
        clock,
        disk: life.disk,
        ...options,
      }),
    until: (done) => turning(clock, done),
  };
}

export async function turning<T>(clock: ManualClock, done: Promise<T>): Promise<T> {
  let isDone = false;
  const ended = () => {
    isDone = true;
  };
  done.then(ended, ended);
  for (let turn = 0; !isDone && turn < 20_000; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(50);
  }
  if (!isDone) throw new Error('it takes for ever');
  return done;
}

export const storeOn = (disk: ForgetfulDisk, fault?: () => 'before' | 'after' | 'reject' | null) =>
  rememberingStore((path) => disk.files().get(path)!, fault);

/** A store that says what `say` says, and lands what it is said nothing of. */
export function answering(disk: ForgetfulDisk, say: (segment: Segment) => Error | null) {
  const store = storeOn(disk);
  const tried: string[] = [];
  let atOnce = 0;
  let atOnceMost = 0;
  const loader: Loader = {
    async load(segment) {
      tried.push(segment.id);
      atOnceMost = Math.max(atOnceMost, ++atOnce);
      await Promise.resolve();
      atOnce -= 1;
      const refusal = say(segment);
      if (refusal) throw refusal;
      return store.load(segment);
    },
  };
  return { loader, tried, landed: store.landed, atOnceMost: () => atOnceMost };
}

export const away: Loader = { load: () => Promise.reject(new Error('the store is away')) };
export const segmentsIn = (disk: ForgetfulDisk): string[] =>
  [...disk.files().keys()].filter((path) => path.includes('/segments/'));
