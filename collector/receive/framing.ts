// One walk over a request's protobuf bytes, decoding nothing. The database reads whole segments and fails them whole
// for one corrupt message, so whatever it could stumble over is refused here, at the door, to its sender alone:
// truncation, overlong varints, groups, wrong wire types, bottomless nesting, numbers beyond their type, two values where
// there is room for one, and what would unfold to more than fits into memory. The same walk counts what the request holds
// (spans, log records or data points), what in it only a sidecar may say, and whether it must be written anew.

import { CHAINS_ATTRIBUTE } from '../../contract/attributes.ts';
import { BYTES, FIXED32, FIXED64, VARINT } from '../../kit/protobuf.ts';
import { RECEIPT_FIELD } from '../receipt.ts';
import type { Signal } from '../signals.ts';
import {
  BOOL,
  FIELD_MAX,
  INT32,
  IS_ITEM,
  IS_LIST,
  IS_REQUEST,
  IS_SHARED,
  IS_WITHOUT_LISTS,
  LEADS_TO_ITEMS,
  NESTED,
  ONE_VALUE,
  PACKED_FIXED64,
  PACKED_VARINT,
  RESOURCE,
  SHAPES,
  SPAN,
  UINT32,
  UNKNOWN,
  WIRES,
} from './framing-shape.ts';
import { MESSAGES } from './otlp-fields.ts';
import { DEPTH_MAX, listLevelsIn } from './otlp-shape.ts';
import { isOwnerKey, isReservedKey } from './reserved-keys.ts';

/** The collector appends its receipt; every field from there on is its own. */
const FIELDS_OF_THE_COLLECTOR = RECEIPT_FIELD;

const TRACE_ID_FIELD = 1;
const SPAN_ID_FIELD = 2;
const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;
const TAG_BYTES_MAX = 5;
const VARINT_BYTES_MAX = 10;
const LENGTH_BYTES_MAX = 5;

/** The wire type of each number of a packed list when it is not packed. */
const UNPACKED: Readonly<Record<number, number>> = { [PACKED_FIXED64]: FIXED64, [PACKED_VARINT]: VARINT };
const KEY_VALUE = MESSAGES.indexOf('keyValue');
const KEY_FIELD = 1;
/** Of an attribute of a span, counted from the request. */
const SPAN_ATTRIBUTE_DEPTH = 4;
/** How a KeyValue begins whose key is CHAINS_ATTRIBUTE, as every protobuf writer writes it: key first. */
const CHAINS_KEY = Buffer.from(`\n${String.fromCharCode(CHAINS_ATTRIBUTE.length)}${CHAINS_ATTRIBUTE}\x12`);
const STRING_VALUE = 0x0a;

// What a load of one request takes of the database's memory, measured, at a third of what it may take: a body of 20 MB of
// real telemetry is far below all three.
const ITEMS_MAX = 500_000;
const MESSAGES_MAX = 2_000_000;
/** Resource, scope and metric stand in the row of each of their items. */
const SHARED_BYTES_MAX = 64 * 1024 * 1024;
/** Of a message that stands beside items, beyond its bytes. */
const MESSAGE_BYTES = 16;

export interface Framing {
  /** Spans, log records or data points. */
  readonly items: number;
  /** Spans whose trace or span id is missing, of the wrong length or all zero; the database leaves them out. */
  readonly badIds: number;
  /** The text of each resource's attribute that names the links of chains it holds, see contract/chain-ranges.ts. */
  readonly chains: readonly string[];
  /** Attributes named `outrider.*`; 0 where nobody asked. */
  readonly reserved: number;
  /** Where attributes stand that say whose records these are: start and end of each; none where nobody asked. */
  readonly owners: readonly number[];
  /** A list of numbers is empty or not packed, or one in a value too deep: legal, but the database can't read it (rewrite.ts). */
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

/**
 * Walks an export request of the given signal. Throws MalformedRequest. Of keys that only a sidecar may give, those of a
 * stranger are counted and those of one who speaks for some agents are found; of a sidecar's own records, where nearly every
 * key is such a one, neither is worth the time.
 */
export function walkFraming(signal: Signal, request: Uint8Array, sender: SenderTrust = 'foreign'): Framing {
  const walk = new Walk(signal, request, sender);
  walk.message(MESSAGES.indexOf(signal), 0, request.length, 0);
  const { items, badIds, chains, reserved, owners, isLoose } = walk;
  return { items, badIds, chains, reserved, owners, isLoose };
}

export type SenderTrust = 'foreign' | 'bound' | 'trusted';

/** A cursor over the bytes: fields rather than parameters keep the inner loop free of allocations. */
class Walk {
  items = 0;
  badIds = 0;
  readonly chains: string[] = [];
  reserved = 0;
  readonly owners: number[] = [];
  isLoose = false;
  readonly #signal: Signal;
  readonly #bytes: Uint8Array;
  /** The message in which keys are looked at. */
  readonly #watched: number;
  readonly #isForeign: boolean;
  #at = 0;
  #messages = 0;
  #sharedBytes = 0;
  /** Lists within lists that the database still reads here. */
  #levels: number;

  constructor(signal: Signal, bytes: Uint8Array, sender: SenderTrust) {
    this.#signal = signal;
    this.#watched = sender === 'trusted' ? UNKNOWN : KEY_VALUE;
    this.#isForeign = sender === 'foreign';
    this.#bytes = bytes;
    this.#levels = listLevelsIn(signal);
  }

  /** Walks one message of kind `kind` from `start` up to `end`. */
  message(kind: number, start: number, end: number, depth: number): void {
    if (depth > DEPTH_MAX) throw new MalformedRequest(`nested deeper than ${DEPTH_MAX} levels`);
    if (++this.#messages > MESSAGES_MAX) throw this.#tooMuch(`${MESSAGES_MAX} attributes and other parts`);
    const shape = SHAPES[kind]!;
    const oneValue = ONE_VALUE[kind]!;
    const isShared = IS_SHARED[kind] === 1;
    const itemsBefore = this.items;
    const levels = this.#levels;
    if (IS_LIST[kind] === 1) this.#enterList();
    else if (IS_WITHOUT_LISTS[kind] === 1) this.#levels = 0;
    let values = 0;
    let shared = 0;
    let goodIds = 0;
    this.#at = start;
    while (this.#at < end) {
      let tag = this.#bytes[this.#at]!;
      if (tag < 0x80) this.#at += 1;
      else tag = this.#unsigned(end, TAG_BYTES_MAX);
      const wire = tag % 8;
      const field = (tag - wire) / 8;
      const known = field <= FIELD_MAX ? shape[field]! : UNKNOWN;
      if (field === 0 || tag > 0xffff_ffff) throw this.#malformed('an impossible field number');
      if (known === UNKNOWN) {
        if (IS_REQUEST[kind] && field >= FIELDS_OF_THE_COLLECTOR)
          throw this.#malformed(`field ${field} is the collector's own`);
      } else {
        if (wire !== WIRES[known]) this.#loose(known, field, wire);
        if (oneValue !== 0 && (oneValue >> field) & 1 && ++values > 1)
          throw this.#malformed('a second value');
      }
      if (wire !== BYTES) {
        if (known >= BOOL && known <= UINT32) this.#bounded(known, end);
        else this.#skip(wire, end);
        continue;
      }
      const stop = this.#length(end);
      const begin = this.#at;
      if (known >= NESTED) {
        const before = this.#messages;
        this.message(known - NESTED, begin, stop, depth + 1);
        if (kind === RESOURCE) this.#findChains(begin, stop);
        if (isShared && LEADS_TO_ITEMS[known - NESTED] === 0)
          shared += stop - begin + (this.#messages - before) * MESSAGE_BYTES;
      } else if (isShared) shared += stop - begin;
      else if (known >= PACKED_FIXED64) this.#packed(known, stop);
      else if (kind === this.#watched && field === KEY_FIELD && isReservedKey(this.#bytes, this.#at, stop)) {
        if (this.#isForeign) this.reserved += 1;
        else if (depth === SPAN_ATTRIBUTE_DEPTH && isOwnerKey(this.#bytes, this.#at, stop))
          this.owners.push(start, end);
      } else if (kind === SPAN && field <= SPAN_ID_FIELD) goodIds = this.#withId(goodIds, field, stop);
      this.#at = stop;
    }
    this.#levels = levels;
    if (IS_ITEM[kind] === 1 && ++this.items > ITEMS_MAX) throw this.#tooMuch(`${ITEMS_MAX} items`);
    if (isShared) this.#share(shared * (this.items - itemsBefore));
    if (kind === SPAN && goodIds !== (TRACE_ID_FIELD | SPAN_ID_FIELD)) this.badIds += 1;
  }

  #enterList(): void {
    if (this.#levels === 0) this.isLoose = true;
    else this.#levels -= 1;
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

  /** So many bytes come into the rows of items that the database makes of this request. */
  #share(bytes: number): void {
    this.#sharedBytes += bytes;
    if (this.#sharedBytes > SHARED_BYTES_MAX)
      throw this.#tooMuch(`${SHARED_BYTES_MAX} bytes of resources, each counted with every item it has`);
  }

  /** Another wire type than the field's own: legal only where a list is not packed. */
  #loose(known: number, field: number, wire: number): void {
    if (wire !== UNPACKED[known]) throw this.#malformed(`field ${field} has wire type ${wire}`);
    this.isLoose = true;
  }

  /** A number that must fit into what the database has for it. */
  #bounded(known: number, end: number): void {
    const start = this.#at;
    this.#skipVarint(end);
    if (this.#bytes[start]! <= 1) return; // by far the most
    let value = 0;
    for (let at = this.#at - 1; at >= start; at -= 1) value = value * 0x80 + (this.#bytes[at]! & 0x7f);
    const max = known === BOOL ? 1 : known === INT32 ? 0x7fff_ffff : 0xffff_ffff;
    if (value <= max || (known === INT32 && this.#isNegative(start))) return;
    throw this.#malformed('a number beyond its type');
  }

  /** Ten bytes, of which all bits above the lowest 31 are set. */
  #isNegative(start: number): boolean {
    const bytes = this.#bytes;
    if (this.#at - start !== VARINT_BYTES_MAX || (bytes[start + 4]! & 0x78) !== 0x78) return false;
    for (let at = start + 5; at < this.#at - 1; at += 1) if (bytes[at] !== 0xff) return false;
    return true;
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

  #tooMuch(limit: string): MalformedRequest {
    return new MalformedRequest(`a request may hold ${limit}: send it in smaller batches`);
  }

  #malformed(why: string): MalformedRequest {
    const name = { traces: 'Trace', logs: 'Logs', metrics: 'Metrics' }[this.#signal];
    const place = `byte ${this.#at}`;
    return new MalformedRequest(`not a protobuf Export${name}ServiceRequest: ${why} at ${place}`, place);
  }
}
