// Every reader of proto3 must take a list of numbers in either form, packed or one field for each, and an empty packed
// list too; the database takes only what most writers send. Requests that use the rest are written anew, here at the
// door. It is rare, so the walk over a request only says whether it is needed.
// Source: protobuf.dev/programming-guides/encoding, "Packed Repeated Fields".

import { BYTES, FIXED32, FIXED64, ProtobufWriter } from '../../kit/protobuf.ts';
import type { Signal } from '../signals.ts';
import { type Field, MESSAGES, type Message } from './otlp-fields.ts';
import { FIELDS } from './otlp-shape.ts';

const isList = (kind: Field['kind']): boolean =>
  kind === 'doubles' || kind === 'fixed64s' || kind === 'uint64s';

/** Messages that hold a list of numbers, they or what is in them; all others are copied as they are. */
const CARRIERS = new Set<Message>();
for (let before = -1; before < CARRIERS.size; ) {
  before = CARRIERS.size;
  for (const message of MESSAGES)
    if (FIELDS[message].some(({ kind }) => isList(kind) || CARRIERS.has(kind as Message)))
      CARRIERS.add(message);
}

/** A request that the framing walk let pass → the same with each list of numbers packed into one field, or left out. */
export function repack(signal: Signal, request: Uint8Array): Buffer {
  const writer = new ProtobufWriter(request.length);
  copyMessage(writer, signal, request);
  return writer.finish();
}

function copyMessage(writer: ProtobufWriter, message: Message, bytes: Uint8Array): void {
  const lists = new Map<number, ProtobufWriter>();
  for (const { number, start, at, end } of fieldsOf(bytes)) {
    const kind = FIELDS[message].find((field) => field.number === number)?.kind;
    if (kind === undefined) writer.raw(bytes.subarray(start, end));
    else if (isList(kind)) listIn(lists, number).raw(bytes.subarray(at, end));
    else if (CARRIERS.has(kind as Message))
      writer.message(number, () => copyMessage(writer, kind as Message, bytes.subarray(at, end)));
    else writer.raw(bytes.subarray(start, end));
  }
  for (const [number, list] of lists) if (list.length > 0) writer.bytes(number, list.finish());
}

function listIn(lists: Map<number, ProtobufWriter>, number: number): ProtobufWriter {
  const list = lists.get(number) ?? new ProtobufWriter(256);
  lists.set(number, list);
  return list;
}

interface Found {
  readonly number: number;
  /** Where the tag begins. */
  readonly start: number;
  /** Where the value begins, behind tag and length. */
  readonly at: number;
  readonly end: number;
}

/** The fields of one message, known to be well formed. */
function* fieldsOf(bytes: Uint8Array): Generator<Found> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const start = at;
    const tag = varint();
    const wire = tag % 8;
    const length = wire === BYTES ? varint() : 0;
    const value = at;
    if (wire === BYTES) at += length;
    else if (wire === FIXED64) at += 8;
    else if (wire === FIXED32) at += 4;
    else varint();
    yield { number: (tag - wire) / 8, start, at: value, end: at };
  }
}
