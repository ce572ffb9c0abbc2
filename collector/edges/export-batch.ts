// What of a segment goes to another backend: the requests that a sidecar sent, without what the collector wrote behind
// them. OTLP messages concatenate, so several requests make one; nothing is decoded. Pure.
//
//   segment: ┌ length ┬ fields of the request … ┬ receipt (1000) ┬ check (1001) ┐ …
//                       └──── copied ─────────┘   └ who sent it

import { BYTES, FIXED32, FIXED64, VARINT } from '../../kit/protobuf.ts';
import { RECEIPT_FIELD, RECEIPT_SENDER_FIELD } from '../receipt.ts';
import { isForeign } from '../senders.ts';

const BATCH_BYTES = 1024 * 1024;

/** Fields of this number and above are the collector's own. */
const OWN_FIELDS = RECEIPT_FIELD;

interface Field {
  readonly number: number;
  readonly start: number;
  /** The content of a length-delimited field; whatever follows the tag of any other. */
  readonly content: Buffer;
  readonly end: number;
}

/**
 * Requests of authenticated senders, together about `bytesMax` each; one that is larger stands alone.
 * Throws an Error when the bytes are not a segment.
 */
export function* batchesOf(segment: Buffer, bytesMax = BATCH_BYTES): Generator<Buffer> {
  let batch: Buffer[] = [];
  let bytes = 0;
  for (const record of recordsOf(segment)) {
    const request = requestIn(record);
    if (request === null) continue;
    const length = request.reduce((sum, part) => sum + part.length, 0);
    if (bytes > 0 && bytes + length > bytesMax) {
      yield Buffer.concat(batch);
      [batch, bytes] = [[], 0];
    }
    batch.push(...request);
    bytes += length;
  }
  if (bytes > 0) yield Buffer.concat(batch);
}

function* recordsOf(segment: Buffer): Generator<Buffer> {
  for (let at = 0; at < segment.length; ) {
    const { value, end } = varint(segment, at);
    at = end + value;
    if (at > segment.length) throw new Error('the segment ends within a record');
    yield segment.subarray(end, at);
  }
}

/** The sidecar's own bytes; null of whoever's records do not count. */
function requestIn(record: Buffer): Buffer[] | null {
  const parts: Buffer[] = [];
  let sender = '';
  for (const field of fieldsOf(record)) {
    if (field.number < OWN_FIELDS) parts.push(record.subarray(field.start, field.end));
    else if (field.number === RECEIPT_FIELD) sender = senderIn(field.content);
  }
  return isForeign(sender) ? null : parts;
}

function senderIn(receipt: Buffer): string {
  for (const { number, content } of fieldsOf(receipt))
    if (number === RECEIPT_SENDER_FIELD) return content.toString();
  return '';
}

function* fieldsOf(message: Buffer): Generator<Field> {
  for (let at = 0; at < message.length; ) {
    const start = at;
    const tag = varint(message, at);
    const wire = tag.value % 8;
    const from = wire === BYTES ? varint(message, tag.end) : { value: 0, end: tag.end };
    at = endOf(message, wire, from);
    if (at > message.length) throw new Error('the record ends within a field');
    yield {
      number: Math.floor(tag.value / 8),
      start,
      content: message.subarray(from.end, at),
      end: at,
    };
  }
}

function endOf(message: Buffer, wire: number, from: { value: number; end: number }): number {
  if (wire === BYTES) return from.end + from.value;
  if (wire === FIXED64) return from.end + 8;
  if (wire === FIXED32) return from.end + 4;
  if (wire === VARINT) return varint(message, from.end).end;
  throw new Error(`no field has wire type ${wire}`);
}

/** Values beyond 2⁵³ lose digits, which no length or tag ever has. */
function varint(bytes: Buffer, from: number): { value: number; end: number } {
  let value = 0;
  for (let at = from, scale = 1; at < bytes.length && at < from + 10; at += 1, scale *= 0x80) {
    const byte = bytes[at]!;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, end: at + 1 };
  }
  throw new Error('a number has no end');
}
