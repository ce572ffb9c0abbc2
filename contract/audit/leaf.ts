// What the collector's log holds of one accepted request: when it came, from whom, its digest, and where each chain of
// records in it ends. A chain's head stands for every record before it, so a row is proven by tree, leaf and chain, and no
// span need be decoded. Bodies are not in it, so they can be erased.
//
//   ┌ version ┬ kind ┬ received_ms ┬ signal ┬ sender ┬ segment ┬ items ┬ digest ┬ chains: stream, first, last, head ┐
//   │ 1 byte  │ 1    │ 8           │ 1      │ text   │ text    │ varint│ 32     │ varint n, then n times            │
//
// Numbers are big-endian; a text stands behind its length in bytes, a list behind its length, both as varints.

import { HASH_BYTES } from '../../kit/tlog/merkle.ts';
import { ENTRY_BYTES_MAX } from '../../kit/tlog/tiles.ts';
import type { ChainRange } from '../chain-ranges.ts';

export const LEAF_VERSION = 1;
/**
 * `start`: a log begins, or goes on after a restart. `heartbeat`: nothing came for a while; time passes inside the tree.
 * `pruned`: entries below an index have had their time, and are no longer kept; or a whole log that ended.
 */
export const LEAF_KINDS = ['request', 'start', 'heartbeat', 'pruned'] as const;
export type LeafKind = (typeof LEAF_KINDS)[number];
export const LEAF_SIGNALS = ['none', 'traces', 'logs', 'metrics'] as const;
export type LeafSignal = (typeof LEAF_SIGNALS)[number];

export interface Leaf {
  readonly kind: LeafKind;
  readonly receivedMs: number;
  readonly signal: LeafSignal;
  /** Who authenticated; empty when nobody did, and of leaves that are no request. */
  readonly sender: string;
  /** The queue's segment that holds it; empty of leaves that are no request. */
  readonly segment: string;
  /** Spans, log records or data points; of `pruned`, the lowest index that is kept. */
  readonly items: number;
  /**
   * SHA-256 of the request as accepted. Of a `start` that follows another log, and of a `pruned` that says of one that it
   * went: of that log's last checkpoint; else of nothing, all zero.
   */
  readonly digest: Uint8Array;
  readonly chains: readonly ChainRange[];
}

export const NO_DIGEST: Uint8Array = new Uint8Array(HASH_BYTES);

/** What a Date holds. */
const TIME_MS_MAX = 8.64e15;
const TEXT_BYTES_MAX = 2_048;
export const LEAF_CHAINS_MAX = 256;

/** Throws RangeError for what a leaf can't hold: a name of more than 2048 bytes, more than 256 chains or 65535 bytes. */
export function encodeLeaf(leaf: Leaf): Buffer {
  if (leaf.chains.length > LEAF_CHAINS_MAX || leaf.digest.length !== HASH_BYTES)
    throw new RangeError(`A leaf holds ${LEAF_CHAINS_MAX} chains and a digest of ${HASH_BYTES} bytes.`);
  const length = lengthOf(leaf);
  if (length > ENTRY_BYTES_MAX) throw new RangeError(`A leaf has at most ${ENTRY_BYTES_MAX} bytes.`);
  const bytes = Buffer.allocUnsafe(length);
  bytes[0] = LEAF_VERSION;
  bytes[1] = LEAF_KINDS.indexOf(leaf.kind);
  bytes.writeBigUInt64BE(BigInt(leaf.receivedMs), 2);
  bytes[10] = LEAF_SIGNALS.indexOf(leaf.signal);
  let at = writeText(bytes, leaf.sender, 11);
  at = writeText(bytes, leaf.segment, at);
  at = writeVarint(bytes, leaf.items, at);
  bytes.set(leaf.digest, at);
  at = writeVarint(bytes, leaf.chains.length, at + HASH_BYTES);
  for (const chain of leaf.chains) at = writeChain(bytes, chain, at);
  return bytes;
}

/** Every write answers where the next one begins. */
function writeChain(bytes: Buffer, { stream, first, last, head }: ChainRange, from: number): number {
  const at = writeVarint(bytes, last - first, writeVarint(bytes, first, writeText(bytes, stream, from)));
  bytes.write(head, at, HASH_BYTES, 'hex');
  return at + HASH_BYTES;
}

function writeText(bytes: Buffer, text: string, from: number): number {
  const at = writeVarint(bytes, Buffer.byteLength(text), from);
  return at + bytes.write(text, at);
}

/** Seven bits a byte, the lowest first, as protobuf writes them. */
function writeVarint(bytes: Buffer, value: number, from: number): number {
  let at = from;
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes[at++] = (rest % 0x80) | 0x80;
  bytes[at++] = rest;
  return at;
}

function lengthOf({ sender, segment, items, chains }: Leaf): number {
  const head = 11 + textLength(sender) + textLength(segment) + varintLength(items) + HASH_BYTES;
  return chains.reduce((sum, { stream, first, last }) => {
    return sum + textLength(stream) + varintLength(first) + varintLength(last - first) + HASH_BYTES;
  }, head + varintLength(chains.length));
}

function textLength(text: string): number {
  const length = Buffer.byteLength(text);
  if (length > TEXT_BYTES_MAX) throw new RangeError(`A name in a leaf has at most ${TEXT_BYTES_MAX} bytes.`);
  return varintLength(length) + length;
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length += 1;
  return length;
}

/** Throws Error for what is no leaf of a version known here, or is one written otherwise than `encodeLeaf` does. */
export function decodeLeaf(bytes: Buffer): Leaf {
  if (bytes[0] !== LEAF_VERSION)
    throw new Error(`It is a leaf of version ${bytes[0]}; known is ${LEAF_VERSION}.`);
  const leaf = readLeaf(new Reader(bytes));
  if (leaf === null || !encodeLeaf(leaf).equals(bytes))
    throw new Error('It is not a leaf: its bytes do not add up.');
  return leaf;
}

function readLeaf(reader: Reader): Leaf | null {
  reader.byte();
  const kind = LEAF_KINDS[reader.byte()];
  const receivedMs = Number(reader.take(8).readBigUInt64BE());
  const signal = LEAF_SIGNALS[reader.byte()];
  const sender = reader.text();
  const segment = reader.text();
  const items = reader.varint();
  const digest = reader.take(HASH_BYTES);
  const chains = Array.from({ length: Math.min(reader.varint(), LEAF_CHAINS_MAX) }, () => readChain(reader));
  if (kind === undefined || signal === undefined || receivedMs > TIME_MS_MAX || reader.isShort) return null;
  return { kind, receivedMs, signal, sender, segment, items, digest, chains };
}

function readChain(reader: Reader): ChainRange {
  const stream = reader.text();
  const first = reader.varint();
  return { stream, first, last: first + reader.varint(), head: reader.take(HASH_BYTES).toString('hex') };
}

/** Beyond the end it reads zeros, as many as a hash has however many were asked for, and says so once asked. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isShort(): boolean {
    return this.#at > this.#bytes.length;
  }

  take(length: number): Buffer {
    const from = this.#at;
    this.#at += length;
    return this.isShort ? Buffer.alloc(HASH_BYTES) : this.#bytes.subarray(from, this.#at);
  }

  byte(): number {
    return this.take(1)[0]!;
  }

  text(): string {
    return this.take(this.varint()).toString();
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 56; scale *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    return value;
  }
}
