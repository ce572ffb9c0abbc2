// One record of a segment is one accepted request. A segment stays plain length-delimited protobuf, so that ClickHouse
// reads it as it is; what proves a record whole stands inside the message, in fields that OTLP readers skip:
//
//   ┌ length ┬ request as accepted ┬ receipt (field 1000) ┬ check (field 1001) ┐
//   │ varint │ SHA-256 of it ──────┼──▶ digest            │ CRC-32 of receipt  │
//   └────────┴─────────────────────┴──────────────────────┴────────────────────┘
//
// There is no index beside it: one file, one fdatasync, nothing that could disagree with the bytes.

import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { BYTES, FIXED32, FIXED64, ProtobufWriter, VARINT, varintBytes } from '../../kit/protobuf.ts';
import {
  RECEIPT_DIGEST_FIELD,
  RECEIPT_FIELD,
  RECEIPT_RECEIVED_AT_FIELD,
  RECEIPT_SENDER_FIELD,
  receiptBytes,
} from '../receipt.ts';

const CHECK_FIELD = 1001;
const CHECK_TAG = tagBytes(CHECK_FIELD, FIXED32);
const CHECK_BYTES = CHECK_TAG.length + 4;

export interface Sender {
  readonly receivedAtUnixNano: bigint;
  readonly sender: string;
}

export interface WholeRecord {
  /** Where its length prefix begins, and where the next record begins. */
  readonly start: number;
  readonly end: number;
  /** The request as accepted, and where behind it the receipt's own fields begin. */
  readonly request: { readonly start: number; readonly end: number };
  readonly receiptAt: number;
  readonly digest: Buffer;
}

export interface Records {
  readonly whole: readonly WholeRecord[];
  /** Stretches that hold no whole record. */
  readonly broken: readonly { readonly start: number; readonly end: number }[];
}

export function digestOf(request: Uint8Array): Buffer {
  return hash('sha256', request, 'buffer');
}

/** The record's bytes as chunks; the request itself is not copied. */
export function recordChunks(request: Uint8Array, digest: Uint8Array, from: Sender): Uint8Array[] {
  const receipt = receiptBytes({ ...from, digest });
  const tail = Buffer.allocUnsafe(receipt.length + CHECK_BYTES);
  receipt.copy(tail);
  CHECK_TAG.copy(tail, receipt.length);
  tail.writeUInt32LE(crc32(receipt), receipt.length + CHECK_TAG.length);
  const writer = new ProtobufWriter(varintBytes(request.length + tail.length));
  writer.varint(request.length + tail.length);
  return [writer.finish(), request, tail];
}

/** Finds every whole record of a segment, also behind a stretch that was damaged. */
export function readRecords(segment: Buffer): Records {
  const whole: WholeRecord[] = [];
  const broken: { start: number; end: number }[] = [];
  let at = 0;
  while (at < segment.length) {
    const record = readRecord(segment, at) ?? nextRecord(segment, at + 1);
    const start = record?.start ?? segment.length;
    if (start > at) broken.push({ start: at, end: start });
    if (record) whole.push(record);
    at = record?.end ?? segment.length;
  }
  return { whole, broken };
}

/** Damage may hide where the next record begins: it is searched for, byte by byte. */
function nextRecord(segment: Buffer, from: number): WholeRecord | null {
  for (let at = from; at < segment.length; at += 1) {
    const record = readRecord(segment, at);
    if (record) return record;
  }
  return null;
}

/** The record that begins at `start`, or null if there is no whole one. */
function readRecord(segment: Buffer, start: number): WholeRecord | null {
  const prefix = readVarint(segment, start, segment.length);
  if (!prefix || prefix.value < CHECK_BYTES || prefix.value > segment.length - prefix.end) return null;
  const message = segment.subarray(prefix.end, prefix.end + prefix.value);
  const receiptEnd = message.length - CHECK_BYTES;
  if (CHECK_TAG.compare(message, receiptEnd, receiptEnd + CHECK_TAG.length) !== 0) return null;
  const receipt = findField(message, 0, receiptEnd, RECEIPT_FIELD);
  if (!receipt || receipt.end !== receiptEnd) return null;
  if (crc32(message.subarray(receipt.tag, receipt.end)) !== message.readUInt32LE(message.length - 4))
    return null;
  const digest = findField(message, receipt.start, receipt.end, RECEIPT_DIGEST_FIELD);
  if (!digest) return null;
  const claimed = message.subarray(digest.start, digest.end);
  if (digestOf(message.subarray(0, receipt.tag)).compare(claimed) !== 0) return null;
  return {
    start,
    end: prefix.end + prefix.value,
    request: { start: prefix.end, end: prefix.end + receipt.tag },
    receiptAt: prefix.end + receipt.start,
    digest: Buffer.from(claimed),
  };
}

/** When a whole record of `segment` came, and from whom. */
export function senderIn(segment: Buffer, { receiptAt, end }: WholeRecord): Sender {
  const until = end - CHECK_BYTES;
  const time = findField(segment, receiptAt, until, RECEIPT_RECEIVED_AT_FIELD, FIXED64);
  const sender = findField(segment, receiptAt, until, RECEIPT_SENDER_FIELD);
  return {
    receivedAtUnixNano: time ? segment.readBigUInt64LE(time.start) : 0n,
    sender: sender ? segment.toString('utf8', sender.start, sender.end) : '',
  };
}

interface FoundField {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

/** Steps over fields from `from` up to the one numbered `wanted`; length-delimited, unless another wire type is named. */
function findField(
  bytes: Buffer,
  from: number,
  end: number,
  wanted: number,
  wire: number = BYTES,
): FoundField | null {
  let at = from;
  while (at < end) {
    const tag = readVarint(bytes, at, end);
    if (!tag) return null;
    const stop = fieldEnd(bytes, tag.end, end, tag.value % 8);
    if (stop === null || stop.end > end) return null;
    if (tag.value === wanted * 8 + wire) return { tag: at, ...stop };
    at = stop.end;
  }
  return null;
}

function fieldEnd(
  bytes: Buffer,
  at: number,
  end: number,
  wire: number,
): { start: number; end: number } | null {
  if (wire === FIXED64) return { start: at, end: at + 8 };
  if (wire === FIXED32) return { start: at, end: at + 4 };
  const varint = readVarint(bytes, at, end);
  if (!varint || (wire !== VARINT && wire !== BYTES)) return null;
  return wire === VARINT
    ? { start: at, end: varint.end }
    : { start: varint.end, end: varint.end + varint.value };
}

/** Values beyond 2⁵³ lose digits, which no length or tag ever has. */
function readVarint(bytes: Buffer, from: number, end: number): { value: number; end: number } | null {
  let value = 0;
  for (let at = from, scale = 1; at < end && at < from + 10; at += 1, scale *= 0x80) {
    const byte = bytes[at]!;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, end: at + 1 };
  }
  return null;
}

function tagBytes(field: number, wireType: number): Buffer {
  const writer = new ProtobufWriter(8);
  writer.tag(field, wireType);
  return writer.finish();
}
