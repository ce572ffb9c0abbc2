// One walk over a request's protobuf bytes, decoding nothing. The database reads whole segments and fails them whole
// for one corrupt message, so whatever it could stumble over is refused here, at the door, to its sender alone:
// truncation, overlong varints, groups, wrong wire types, bottomless nesting. The same walk counts what the request
// holds (spans, log records or data points), what in it only a sidecar may say, and whether it must be written anew.

import { CHAINS_ATTRIBUTE } from '../../contract/attributes.ts';
import { BYTES, FIXED32, FIXED64, VARINT } from '../../kit/protobuf.ts';
import type { Signal } from '../signals.ts';
import { isScalar, MESSAGES, type Scalar, WIRE_TYPES } from './otlp-fields.ts';
import { DEPTH_MAX, FIELDS } from './otlp-shape.ts';

/** The collector appends its receipt under field 1000; everything from there on is its own. */
export const FIELDS_OF_THE_COLLECTOR = 1000;

const TRACE_ID_FIELD = 1;
const SPAN_ID_FIELD = 2;
const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;
const TAG_BYTES_MAX = 5;
const VARINT_BYTES_MAX = 10;
const LENGTH_BYTES_MAX = 5;

// The table of fields, as the inner loop wants it: for each message, by field number, a wire type, how a list is packed,
// or NESTED + a message.
const PACKED_FIXED64 = 8;
const PACKED_VARINT = 9;
const PACKED: Readonly<Partial<Record<Scalar, number>>> = {
  doubles: PACKED_FIXED64,
  fixed64s: PACKED_FIXED64,
  uint64s: PACKED_VARINT,
};
/** The wire type of each number of such a list when it is not packed. */
const UNPACKED: Readonly<Record<number, number>> = { [PACKED_FIXED64]: FIXED64, [PACKED_VARINT]: VARINT };
const NESTED = 16;
const UNKNOWN = -1;
const FIELD_MAX = 31;
const SPAN = MESSAGES.indexOf('span');
const RESOURCE = MESSAGES.indexOf('resource');
/** How a KeyValue begins whose key is CHAINS_ATTRIBUTE, as every protobuf writer writes it: key first. */
const CHAINS_KEY = Buffer.from(`\n${String.fromCharCode(CHAINS_ATTRIBUTE.length)}${CHAINS_ATTRIBUTE}\x12`);
const STRING_VALUE = 0x0a;
const KEY_VALUE = MESSAGES.indexOf('keyValue');
const KEY_FIELD = 1;
/** Of attributes that only who authenticated may give. */
const RESERVED_PREFIX = Buffer.from('outrider.');
const RESERVED_FIRST_BYTE = RESERVED_PREFIX[0];
const SHAPES = MESSAGES.map((message) => {
  const shape = new Int8Array(FIELD_MAX + 1).fill(UNKNOWN);
  for (const { number, kind } of FIELDS[message])
    shape[number] = isScalar(kind) ? (PACKED[kind] ?? WIRE_TYPES[kind]) : NESTED + MESSAGES.indexOf(kind);
  return shape;
});
const IS_REQUEST = MESSAGES.map((message) => ['traces', 'logs', 'metrics'].includes(message));
const IS_ITEM = MESSAGES.map(
  (message) => ['span', 'logRecord'].includes(message) || message.endsWith('DataPoint'),
);

export interface Framing {
  /** Spans, log records or data points. */
  readonly items: number;
  /** Spans whose trace or span id is missing, of the wrong length or all zero; the database leaves them out. */
  readonly badIds: number;
  /** The text of each resource's attribute that names the links of chains it holds, see contract/chain-ranges.ts. */
  readonly chains: readonly string[];
  /** Attributes named `outrider.*`. */
  readonly reserved: number;
  /** A list of numbers is empty, or not packed: legal, but the database can't read it. */
  readonly isLoose: boolean;
}

/** The request is not a readable OTLP export request; the message says why, and `place` where. */
export class MalformedRequest extends Error {
  override name = 'MalformedRequest';
  /** `byte 17`, `resourceSpans[0].resource` or `the body`. */
  readonly place: string;

  constructor(message: string, place = 'the body') {
    super(message);
    this.place = place;
  }
}

/** Walks an export request of the given signal. Throws MalformedRequest. */
export function walkFraming(signal: Signal, request: Uint8Array): Framing {
  const walk = new Walk(signal, request);
  walk.message(MESSAGES.indexOf(signal), 0, request.length, 0);
  const { items, badIds, chains, reserved, isLoose } = walk;
  return { items, badIds, chains, reserved, isLoose };
}

/** A cursor over the bytes: fields rather than parameters keep the inner loop free of allocations. */
class Walk {
  items = 0;
  badIds = 0;
  readonly chains: string[] = [];
  reserved = 0;
  isLoose = false;
  readonly #signal: Signal;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(signal: Signal, bytes: Uint8Array) {
    this.#signal = signal;
    this.#bytes = bytes;
  }

  /** Walks one message of kind `kind` from `start` up to `end`. */
  message(kind: number, start: number, end: number, depth: number): void {
    if (depth > DEPTH_MAX) throw new MalformedRequest(`nested deeper than ${DEPTH_MAX} levels`);
    const shape = SHAPES[kind]!;
    let goodIds = 0;
    this.#at = start;
    while (this.#at < end) {
      const tag = this.#unsigned(end, TAG_BYTES_MAX);
      const wire = tag % 8;
      const field = (tag - wire) / 8;
      const known = field <= FIELD_MAX ? shape[field]! : UNKNOWN;
      if (field === 0 || tag > 0xffff_ffff) throw this.#malformed('an impossible field number');
      if (known === UNKNOWN) {
        if (IS_REQUEST[kind] && field >= FIELDS_OF_THE_COLLECTOR)
          throw this.#malformed(`field ${field} is the collector's own`);
      } else if (wire !== (known >= PACKED_FIXED64 ? BYTES : known)) {
        if (wire !== UNPACKED[known]) throw this.#malformed(`field ${field} has wire type ${wire}`);
        this.isLoose = true;
      }
      if (wire !== BYTES) {
        this.#skip(wire, end);
        continue;
      }
      const stop = this.#length(end);
      if (known >= NESTED) {
        const begin = this.#at;
        this.message(known - NESTED, begin, stop, depth + 1);
        if (kind === RESOURCE) this.#findChains(begin, stop);
      } else if (known >= PACKED_FIXED64) this.#packed(known, stop);
      else if (kind === KEY_VALUE) this.#key(field, stop);
      else if (kind === SPAN && field <= SPAN_ID_FIELD) goodIds = this.#withId(goodIds, field, stop);
      this.#at = stop;
    }
    if (IS_ITEM[kind]) this.items += 1;
    if (kind === SPAN && goodIds !== (TRACE_ID_FIELD | SPAN_ID_FIELD)) this.badIds += 1;
  }

  /** The ids seen good so far, as bits; the last one given counts, as in every protobuf reader. */
  #withId(goodIds: number, field: number, stop: number): number {
    const expected = field === TRACE_ID_FIELD ? TRACE_ID_BYTES : SPAN_ID_BYTES;
    if (stop - this.#at !== expected) return goodIds & ~field;
    for (let at = this.#at; at < stop; at += 1) if (this.#bytes[at] !== 0) return goodIds | field;
    return goodIds & ~field;
  }

  /** Where an attribute that was just walked is CHAINS_ATTRIBUTE, with a text: takes the text. */
  #findChains(start: number, stop: number): void {
    const value = start + CHAINS_KEY.length;
    if (value >= stop || CHAINS_KEY.compare(this.#bytes, start, value) !== 0) return;
    this.#at = value;
    const end = this.#length(stop);
    if (this.#at >= end || this.#bytes[this.#at] !== STRING_VALUE) return;
    this.#at += 1;
    const textEnd = this.#length(end);
    this.chains.push(Buffer.from(this.#bytes.subarray(this.#at, textEnd)).toString());
  }

  #key(field: number, stop: number): void {
    const at = this.#at;
    if (field !== KEY_FIELD || this.#bytes[at] !== RESERVED_FIRST_BYTE) return;
    if (stop - at < RESERVED_PREFIX.length) return;
    for (let each = 1; each < RESERVED_PREFIX.length; each += 1)
      if (this.#bytes[at + each] !== RESERVED_PREFIX[each]) return;
    this.reserved += 1;
  }

  /** A list of numbers without tags, up to `stop`. */
  #packed(how: number, stop: number): void {
    if (stop === this.#at) this.isLoose = true;
    if (how === PACKED_FIXED64) {
      if ((stop - this.#at) % 8 !== 0) throw this.#malformed('a list that ends inside a number');
    } else while (this.#at < stop) this.#skipVarint(stop);
  }

  /** Reads a length and returns where its bytes end. */
  #length(end: number): number {
    const first = this.#bytes[this.#at]!;
    if (this.#at < end && first < 0x80) this.#at += 1;
    else return this.#longLength(end);
    if (first > end - this.#at) throw this.#malformed('a field longer than what holds it');
    return this.#at + first;
  }

  #longLength(end: number): number {
    const length = this.#unsigned(end, LENGTH_BYTES_MAX);
    if (length > end - this.#at) throw this.#malformed('a field longer than what holds it');
    return this.#at + length;
  }

  #unsigned(end: number, bytesMax: number): number {
    let value = 0;
    let scale = 1;
    const stop = Math.min(end, this.#at + bytesMax);
    while (this.#at < stop) {
      const byte = this.#bytes[this.#at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
    throw this.#malformed(stop === end ? 'truncated' : 'a number that is too long');
  }

  #skip(wire: number, end: number): void {
    if (wire === VARINT) this.#skipVarint(end);
    else if (wire === FIXED64) this.#at += 8;
    else if (wire === FIXED32) this.#at += 4;
    else throw this.#malformed(wire === 3 || wire === 4 ? 'a group' : `wire type ${wire}`);
    if (this.#at > end) throw this.#malformed('truncated');
  }

  #skipVarint(end: number): void {
    const last = this.#at + VARINT_BYTES_MAX - 1;
    while (this.#at < end) {
      const byte = this.#bytes[this.#at++]!;
      if (byte >= 0x80 && this.#at <= last) continue;
      if (byte <= 1 || this.#at <= last) return;
      throw this.#malformed('a number of more than 64 bits');
    }
    throw this.#malformed('truncated');
  }

  #malformed(why: string): MalformedRequest {
    const name = { traces: 'Trace', logs: 'Logs', metrics: 'Metrics' }[this.#signal];
    const place = `byte ${this.#at}`;
    return new MalformedRequest(`not a protobuf Export${name}ServiceRequest: ${why} at ${place}`, place);
  }
}
