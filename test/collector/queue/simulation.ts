// One seeded history of a queue: requests, resends, disk errors, a store that comes and goes, crashes inside any
// operation, power cuts. At the end everything works again, and what must hold is returned.

import type { SignedCheckpoint } from '../../../collector/audit/growth.ts';
import type { AuditLog } from '../../../collector/audit/log.ts';
import type { Segment } from '../../../collector/queue/loader.ts';
import { openQueue, type Queue } from '../../../collector/queue/queue.ts';
import { digestOf, readRecords } from '../../../collector/queue/record.ts';
import { SIGNALS, type Signal, signalOf } from '../../../collector/signals.ts';
import { silentLog } from '../../../kit/log.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { leavesOnDisk, openLog } from '../audit/kept-log.ts';
import { requestOf, spanIdOf } from '../receive/otlp-messages.ts';
import { forgetfulDisk, type Life, type Operation } from './forgetful-disk.ts';
import { randomFrom } from './random.ts';
import { rememberingStore } from './remembering-store.ts';

const STEPS = 120;
const SEGMENT_BYTES_MAX = 1_500;
const STORE_FAULTS = ['before', 'after', 'reject'] as const;
const POISON = 'a poisonous name';
const QUEUE = '/data/collector/queue';
const HOUR_MS = 3_600_000;

export interface Outcome {
  readonly acknowledged: readonly string[];
  readonly poisonous: ReadonlySet<string>;
  /** Digest → how often it is in the store. */
  readonly stored: ReadonlyMap<string, number>;
  /** Digest → how often it is in quarantine. */
  readonly quarantined: ReadonlyMap<string, number>;
  readonly lives: number;
  readonly filesLeft: readonly string[];
  /** Segments that held a request of another signal than their id says. */
  readonly mixed: readonly string[];
  /** Landed after one of its signal that was sent only when it had been acknowledged. */
  readonly outOfOrder: readonly string[];
  /** Digest → how often it is in the audit log. */
  readonly logged: ReadonlyMap<string, number>;
  /** Every checkpoint anybody could have seen, in order. */
  readonly checkpoints: readonly SignedCheckpoint[];
  /** The entries of the log at the end. */
  readonly leaves: readonly Uint8Array[];
}

interface Request {
  readonly bytes: Buffer;
  readonly digest: string;
  readonly signal: Signal;
}

export async function simulate(seed: number): Promise<Outcome> {
  const random = randomFrom(seed);
  const hands = manualClock();
  /** By how much the wall clock is off: somebody sets it, forwards and back, never as far as a resend is remembered. */
  let offMs = 0;
  const clock = { ...hands, nowMs: () => hands.nowMs() + offMs };
  const disk = forgetfulDisk(() => clock.nowMs());
  let faults = { death: 0, disk: 0, store: 0 };
  const store = rememberingStore(
    (path) => disk.files().get(path) ?? Promise.reject(new Error(`no ${path}`)),
    () => (random.chance(faults.store) ? STORE_FAULTS[random.below(STORE_FAULTS.length)]! : null),
    Buffer.from(POISON),
  );
  const fault = (operation: Operation) => {
    if (random.chance(faults.death)) return random.chance(0.5) ? 'die before' : 'die after';
    const mayFail = operation !== 'read' && operation !== 'list';
    return mayFail && random.chance(faults.disk) ? new Error(`EIO at ${operation}`) : null;
  };
  const settle = async () => {
    for (let before = -1; before !== disk.operations; ) {
      before = disk.operations;
      for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    }
  };

  const mixed: string[] = [];
  const holdsItsSignal = (segment: Segment) =>
    readRecords(disk.files().get(segment.path) ?? Buffer.alloc(0)).whole.every(
      ({ digest }) =>
        requests.find((request) => request.digest === digest.toString('hex'))?.signal ===
        signalOf(segment.id),
    );

  let lives = 0;
  let life: Life | null = null;
  let queue: Queue | null = null;
  let audit: AuditLog | null = null;
  const checkpoints: SignedCheckpoint[] = [];
  const openAll = async (next: Life): Promise<Queue> => {
    const log = await openLog({
      disk: next.disk,
      clock,
      onCheckpoint: (checkpoint) => void (next.isDead() || checkpoints.push(checkpoint)),
    });
    audit = log;
    return openQueue({
      directory: QUEUE,
      loader: {
        load(segment) {
          if (next.isDead()) return new Promise(() => undefined);
          if (!holdsItsSignal(segment)) mixed.push(segment.id);
          return store.load(segment);
        },
      },
      log: silentLog,
      clock,
      disk: next.disk,
      sequencer: log,
      segmentBytesMax: SEGMENT_BYTES_MAX,
    });
  };
  const revive = async () => {
    while (!queue || life?.isDead()) {
      lives += 1;
      if (random.chance(0.5)) disk.powerCut(random);
      const next = disk.live(fault);
      life = next;
      // A disk error at the start ends it; the next one begins anew.
      const opening = openAll(next).catch(() => null);
      queue = await Promise.race([opening, next.died.then(() => null)]);
      if (!queue) next.die();
      faults = { ...faults, disk: faults.disk / 8 }; // or no start would ever succeed
    }
    return queue;
  };

  /** What a request is of follows from its number; here only the door would look into it. */
  const requests: Request[] = [];
  const poisonous = new Set<string>();
  const acknowledged = new Set<string>();
  let moment = 0;
  const sentAt = new Map<string, number>();
  const acknowledgedAt = new Map<string, number>();
  const noteFirst = (moments: Map<string, number>, digest: string) =>
    void (moments.has(digest) || moments.set(digest, ++moment));
  const send = (target: Queue, { bytes, digest, signal }: Request) => {
    noteFirst(sentAt, digest);
    target.append(bytes, 'trend-scout', signal).then(
      ({ kind }) => {
        if (kind === 'refused') return;
        acknowledged.add(digest);
        noteFirst(acknowledgedAt, digest);
      },
      () => undefined, // nobody was answered
    );
  };

  const loadAgain = async ({ again }: Queue): Promise<void> => {
    try {
      const aside = await again.list(10);
      const one = aside[random.below(aside.length + 1)];
      if (one?.kind === 'message') await again.load(one.name);
    } catch {
      // the disk failed: whoever asked is told so, and asks again
    }
  };

  const finish = async (last: Queue): Promise<void> => {
    const drained = Promise.withResolvers<void>();
    let isDrained = false;
    last.drain().then(
      () => {
        isDrained = true;
        drained.resolve();
      },
      (failure: unknown) => drained.reject(failure),
    );
    for (let turn = 0; turn < 100 && !isDrained; turn += 1) {
      await settle();
      clock.advance(5_000);
    }
    if (!isDrained) throw new Error(`seed ${seed}: not drained; ${JSON.stringify(last.depth())}`);
    await drained.promise;
    await settle();
    await last.close();
    await audit!.close();
  };

  for (let step = 0; step < STEPS; step += 1) {
    faults = { death: 0.005, disk: random.chance(0.2) ? 0.2 : 0, store: random.chance(0.4) ? 0.5 : 0 };
    const target = await revive();
    for (let count = random.below(4); count > 0; count -= 1) {
      const isPoison = random.chance(0.03);
      const name = isPoison ? POISON : `span ${requests.length}`;
      const bytes = requestOf([{ spanId: spanIdOf(requests.length), name }]);
      const digest = digestOf(bytes).toString('hex');
      const request = { bytes, digest, signal: SIGNALS[requests.length % SIGNALS.length]! };
      if (isPoison) poisonous.add(digest);
      requests.push(request);
      send(target, request);
    }
    if (random.chance(0.05)) offMs = (random.below(16) - 8) * HOUR_MS;
    if (random.chance(0.1)) void loadAgain(target);
    const earlier = requests[random.below(requests.length + 1)];
    if (earlier && random.chance(0.7)) send(target, earlier);
    if (random.chance(0.8)) await settle();
    clock.advance(random.below(800));
    await settle();
  }

  faults = { death: 0, disk: 0, store: 0 };
  await finish(await revive());
  queue = null; // what was to come again, and failed at its last step, comes in the life after
  await finish(await revive());
  const onDisk = leavesOnDisk(disk.files());

  const quarantine = [...disk.files()].filter(([path]) => /\.(message|damage)$/.test(path));
  return {
    acknowledged: [...acknowledged],
    poisonous,
    stored: countOf(store.landed),
    quarantined: countOf(
      requests
        .map(({ digest }) => digest)
        .flatMap((digest) =>
          quarantine.filter(([, bytes]) => bytes.includes(Buffer.from(digest, 'hex'))).map(() => digest),
        ),
    ),
    lives,
    mixed,
    outOfOrder: SIGNALS.flatMap((signal) => {
      const of = new Set(requests.filter((each) => each.signal === signal).map(({ digest }) => digest));
      return overtaken(
        store.landed.filter((digest) => of.has(digest)),
        sentAt,
        acknowledgedAt,
      );
    }),
    logged: countOf(onDisk.leaves.map(({ digest }) => Buffer.from(digest).toString('hex'))),
    leaves: onDisk.entries,
    checkpoints,
    // Half a copy of what was to be loaded again goes with the next start.
    filesLeft: [...disk.files().keys()].filter((path) => /\/segments\/.*(?<!\.part)$/.test(path)),
  };
}

/** Those that landed behind one that was sent after their acknowledgement. */
function overtaken(
  landed: readonly string[],
  sentAt: ReadonlyMap<string, number>,
  acknowledgedAt: ReadonlyMap<string, number>,
): string[] {
  let lastSent = 0;
  return landed.filter((digest) => {
    const isLate = (acknowledgedAt.get(digest) ?? Number.POSITIVE_INFINITY) < lastSent;
    lastSent = Math.max(lastSent, sentAt.get(digest)!);
    return isLate;
  });
}

function countOf(digests: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const digest of digests) counts.set(digest, (counts.get(digest) ?? 0) + 1);
  return counts;
}
