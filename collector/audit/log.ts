// The collector's log: one leaf for every request it accepted, in a Merkle tree whose head it signs. A request is
// acknowledged when the queue has it; its leaf follows within a second, and until then the queue keeps the segment.
//
//   accepted ─▶ waiting (order.ts) ─▶ placed, durable, signed (growth.ts) ─▶ told (control database, anchors)
//
// Nobody sees a checkpoint before it is on disk, and a tree only ever grows from the checkpoint on disk: so no two that
// were seen contradict each other, whenever the collector dies.

import { NO_DIGEST } from '../../contract/audit/leaf.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import type { LeftRequests, Sequencer } from '../queue/sequencer.ts';
import { createGrowth, type Growing, keptPartial, type NewLeaf, type SignedCheckpoint } from './growth.ts';
import { ownLeaf, requestLeaf } from './leaves.ts';
import { createOrder, type Marks, unplaced } from './order.ts';
import { createPace } from './pace.ts';

/** More are not taken while the log can't be written: they would have to be remembered. */
export const WAITING_MAX = 100_000;
const READ_ATTEMPTS_MAX = 5;
const READ_AGAIN_MS = 1_000;

export interface AuditLog extends Sequencer {
  /** The newest on disk. */
  checkpoint(): SignedCheckpoint;
  /** Leaves that are not under a signed checkpoint yet, and for how long the oldest has waited. */
  behind(): { readonly requests: number; readonly forMs: number };
  /** False while more requests wait for their place than can be remembered. */
  hasRoom(): boolean;
  /** Resolves once everything accepted before is under a checkpoint on disk; throws what the disk throws. */
  flush(): Promise<void>;
  /** Says in the log that entries below an index are no longer kept; resolves once that is under a checkpoint on disk. */
  saysPruned(minimumIndex: number): Promise<void>;
  /** The same of a log that ended, by the digest of its last checkpoint. */
  saysDropped(checkpoint: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export interface AuditLogWorld extends Growing {
  readonly marks: Marks;
  readonly log: Log;
  /** A checkpoint is on disk. */
  onCheckpoint(checkpoint: SignedCheckpoint): void;
}

/** `follows`: the digest of the last checkpoint of the log before this one, or none. Its first leaf says that it begins or goes on. */
export async function runAuditLog(world: AuditLogWorld, follows: Uint8Array = NO_DIGEST): Promise<AuditLog> {
  const { clock, log, files, tree } = world;
  const order = createOrder();
  const growth = createGrowth(world);
  const own: NewLeaf[] = [ownLeaf('start', { digest: follows })];
  let isClosed = false;

  const placeAll = (): void => {
    for (const leaf of own.splice(0)) growth.place(leaf, clock.nowMs());
    for (const { segment, request } of order.take())
      growth.place(requestLeaf(segment, request), request.receivedAtMs);
  };
  const write = async (): Promise<void> => {
    placeAll();
    if (growth.unsigned === 0) return;
    const checkpoint = await growth.write(order.marks());
    order.keep();
    world.onCheckpoint(checkpoint);
    await files.tidy(keptPartial(checkpoint.size));
  };
  const heartbeat = (): void => void own.push(ownLeaf('heartbeat'));
  const pace = createPace({ clock, log, write, heartbeat, waiting: () => order.waiting });

  /** Reads a segment of an earlier life until that works, or has failed so often that what it holds is lost anyway. */
  const read = async ({ id, requests }: LeftRequests): Promise<void> => {
    for (let attempt = 1; attempt <= READ_ATTEMPTS_MAX && !isClosed; attempt += 1) {
      try {
        order.accepted(id, unplaced(await requests(), world.marks[id] ?? ''));
        pace.soon();
        return;
      } catch (failure) {
        log.error('audit.segment_not_read', { segment: id, attempt, reason: sentenceOf(failure) });
        await new Promise<void>((resume) => clock.after(READ_AGAIN_MS, resume));
      }
    }
  };

  await files.tidy(keptPartial(tree.size));
  await pace.now();
  return {
    begun: (segment) => order.begun(segment),
    accepted(segment, requests) {
      order.accepted(segment, requests);
      pace.soon();
    },
    closed: (segment) => order.closed(segment),
    forget: (segment) => order.forget(segment),
    resume(left) {
      for (const { id } of left) order.begun(id, world.marks[id]);
      void (async () => {
        for (const segment of left) await read(segment).finally(() => order.closed(segment.id));
      })();
    },
    async sequenced(segment) {
      await order.whole(segment);
      if (!order.isKept(segment)) await pace.now();
    },
    checkpoint: () => growth.newest!,
    behind: () => ({ requests: order.waiting + growth.unsigned, forMs: pace.behindMs() }),
    hasRoom: () => order.waiting + growth.unsigned < WAITING_MAX,
    flush: pace.now,
    async saysPruned(minimumIndex) {
      own.push(ownLeaf('pruned', { items: minimumIndex }));
      await pace.now();
    },
    async saysDropped(digest) {
      own.push(ownLeaf('pruned', { digest }));
      await pace.now();
    },
    async close() {
      isClosed = true;
      await pace.close();
    },
  };
}
