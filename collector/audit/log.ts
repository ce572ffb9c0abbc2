// The collector's log: one leaf for every request it accepted, in a Merkle tree whose head it signs. A request is
// acknowledged when the queue has it; its leaf follows within a second, and until then the queue keeps the segment.
//
//   accepted ─▶ waiting ─▶ bundle, tiles, marks durable ─▶ signed ─▶ checkpoint durable ─▶ told (control database, anchors)
//
// Nobody sees a checkpoint before it is on disk, and a tree only ever grows from the checkpoint on disk: so no two that
// were seen contradict each other, whenever the collector dies.

import { encodeLeaf, type Leaf, NO_DIGEST } from '../../contract/audit/leaf.ts';
import type { Clock } from '../../kit/clock.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import { signCheckpoint } from '../../kit/tlog/checkpoint.ts';
import { leafHash } from '../../kit/tlog/merkle.ts';
import type { NoteSigner } from '../../kit/tlog/note.ts';
import type { TileTree } from '../../kit/tlog/tile-tree.ts';
import { bundlePath, encodeBundle, partialTiles, TILE_WIDTH, tilePath } from '../../kit/tlog/tiles.ts';
import type { LeftRequests, Sequencer } from '../queue/sequencer.ts';
import type { AuditFiles, FileBytes } from './files.ts';
import { requestLeaf } from './leaves.ts';
import { createOrder, type Marks, unplaced } from './order.ts';

export const FLUSH_AFTER_MS = 1_000;
export const FLUSH_AT = 256;
export const HEARTBEAT_MS = 60_000;
/** More are not taken while the log can't be written: they would have to be remembered. */
export const WAITING_MAX = 100_000;
const READ_ATTEMPTS_MAX = 5;
const READ_AGAIN_MS = 1_000;

export interface SignedCheckpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
  readonly signedMs: number;
  /** As a signed note. */
  readonly note: string;
}

export interface AuditLog extends Sequencer {
  /** The newest on disk. */
  checkpoint(): SignedCheckpoint;
  /** Leaves that are not under a signed checkpoint yet, and for how long the oldest has waited. */
  behind(): { readonly requests: number; readonly forMs: number };
  /** False while more requests wait for their place than can be remembered. */
  hasRoom(): boolean;
  /** Resolves once everything accepted before is under a checkpoint on disk; throws what the disk throws. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface AuditLogWorld {
  readonly files: AuditFiles;
  readonly tree: TileTree;
  /** Entries behind the last whole bundle. */
  readonly entries: readonly Buffer[];
  readonly origin: string;
  /** The log's own key; while it is replaced, the one before too. */
  readonly signers: readonly NoteSigner[];
  readonly marks: Marks;
  /** When the last leaf on disk came. */
  readonly lastMs: number;
  readonly checkpoint: SignedCheckpoint | null;
  readonly clock: Clock;
  readonly log: Log;
  /** A checkpoint is on disk. */
  onCheckpoint(checkpoint: SignedCheckpoint): void;
}

/** `follows`: the digest of the last checkpoint of the log before this one, or none. Its first leaf says that it begins or goes on. */
export async function runAuditLog(world: AuditLogWorld, follows: Uint8Array = NO_DIGEST): Promise<AuditLog> {
  const { clock, log, files, tree } = world;
  const order = createOrder();
  let extra: Omit<Leaf, 'receivedMs'>[] = [emptyLeaf('start', follows)];
  let entries = [...world.entries];
  let unwritten: FileBytes[] = [];
  let isUnsigned = false;
  let { lastMs } = world;
  let newest = world.checkpoint;
  let behindSinceMs: number | null = null;
  let running: Promise<void> = Promise.resolve();
  let isRunning = false;
  let isClosed = false;
  let cancelFlush: (() => void) | null = null;
  let cancelHeartbeat: () => void = () => undefined;

  const place = (leaf: Omit<Leaf, 'receivedMs'>, atMs: number): void => {
    lastMs = Math.max(lastMs, Math.trunc(atMs));
    const entry = encodeLeaf({ ...leaf, receivedMs: lastMs });
    tree.append(leafHash(entry));
    entries.push(entry);
    isUnsigned = true;
    if (entries.length < TILE_WIDTH) return;
    const index = tree.size / TILE_WIDTH - 1;
    unwritten.push({ path: bundlePath({ index, width: TILE_WIDTH }), bytes: encodeBundle(entries) });
    entries = [];
  };

  /** Everything that waits gets its place in the tree; from here on it only has to be written. */
  const placeAll = (): void => {
    for (const leaf of extra) place(leaf, clock.nowMs());
    extra = [];
    for (const { segment, request } of order.take())
      place(requestLeaf(segment, request), request.receivedAtMs);
    unwritten.push(...tree.takeTiles().map((tile) => ({ path: tilePath(tile), bytes: tile.bytes })));
  };

  const write = async (): Promise<void> => {
    placeAll();
    if (!isUnsigned) return;
    const { size } = tree;
    const root = tree.root();
    const marks = order.marks();
    isUnsigned = false;
    try {
      await files.write([...unwritten, ...partialBundle(size, entries), marksFile(size, marks)]);
      const note = signCheckpoint({ origin: world.origin, size, root }, world.signers);
      await files.replace(CHECKPOINT, Buffer.from(note));
      unwritten = [];
      newest = { origin: world.origin, size, root, note, signedMs: clock.nowMs() };
    } catch (failure) {
      isUnsigned = true;
      throw failure;
    }
    order.keep(marks);
    world.onCheckpoint(newest);
    await files.tidy(keptPartial(size));
  };

  const flush = (): Promise<void> => {
    cancelFlush?.();
    cancelFlush = null;
    const flushed = running.then(async () => {
      isRunning = true;
      await write().finally(() => {
        isRunning = false;
      });
    });
    running = flushed.then(settled, failed);
    return flushed;
  };
  const settled = (): void => {
    behindSinceMs = order.waiting > 0 ? clock.monotonicMs() : null;
    beat();
    if (order.waiting > 0) flushSoon();
  };
  const failed = (failure: unknown): void => {
    log.error('audit.not_written', { reason: sentenceOf(failure), waiting: order.waiting });
    flushSoon();
  };
  const flushSoon = (): void => {
    if (isClosed) return;
    behindSinceMs ??= clock.monotonicMs();
    if (order.waiting >= FLUSH_AT && !isRunning)
      void flush().catch(() => undefined); // `failed` told of it
    else cancelFlush ??= clock.after(FLUSH_AFTER_MS, () => void flush().catch(() => undefined));
  };
  const beat = (): void => {
    cancelHeartbeat();
    if (isClosed) return;
    cancelHeartbeat = clock.after(HEARTBEAT_MS, () => {
      extra.push(emptyLeaf('heartbeat', NO_DIGEST));
      flushSoon();
    });
  };

  /** Reads a segment of an earlier life until that works, or has failed so often that what it holds is lost anyway. */
  const read = async ({ id, requests }: LeftRequests): Promise<void> => {
    for (let attempt = 1; attempt <= READ_ATTEMPTS_MAX && !isClosed; attempt += 1) {
      try {
        order.accepted(id, unplaced(await requests(), world.marks[id] ?? ''));
        flushSoon();
        return;
      } catch (failure) {
        log.error('audit.segment_not_read', { segment: id, attempt, reason: sentenceOf(failure) });
        await new Promise<void>((resume) => clock.after(READ_AGAIN_MS, resume));
      }
    }
  };

  const audit: AuditLog = {
    begun: (segment) => order.begun(segment),
    accepted(segment, requests) {
      order.accepted(segment, requests);
      flushSoon();
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
      if (!order.isKept(segment)) await flush();
    },
    checkpoint: () => newest!,
    behind: () => ({
      requests: order.waiting + (isUnsigned ? tree.size - (newest?.size ?? 0) : 0),
      forMs: behindSinceMs === null ? 0 : clock.monotonicMs() - behindSinceMs,
    }),
    hasRoom: () => order.waiting + tree.size - (newest?.size ?? 0) < WAITING_MAX,
    flush,
    async close() {
      isClosed = true;
      cancelHeartbeat();
      await flush();
    },
  };
  await files.tidy(keptPartial(tree.size));
  await flush();
  return audit;
}

export const CHECKPOINT = 'checkpoint';
export const marksPath = (size: number): string => `marks/${size}.json`;

function marksFile(size: number, marks: Marks): FileBytes {
  return { path: marksPath(size), bytes: Buffer.from(JSON.stringify(marks)) };
}

function partialBundle(size: number, entries: readonly Buffer[]): FileBytes[] {
  if (entries.length === 0) return [];
  const index = Math.floor(size / TILE_WIDTH);
  return [{ path: bundlePath({ index, width: entries.length }), bytes: encodeBundle(entries) }];
}

/** The partial files a tree of `size` leaves needs; all others are older. */
function keptPartial(size: number): readonly string[] {
  const tiles = partialTiles(size);
  return [
    ...tiles.map(tilePath),
    ...tiles.filter(({ level }) => level === 0).map(bundlePath),
    marksPath(size),
  ];
}

function emptyLeaf(kind: 'start' | 'heartbeat', digest: Uint8Array): Omit<Leaf, 'receivedMs'> {
  return { kind, signal: 'none', sender: '', segment: '', items: 0, digest, chains: [] };
}
