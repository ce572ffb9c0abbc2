// Every reader of proto3 must take a list of numbers in either form, packed or one field for each, and an empty packed
// list too; the database takes only what most writers send. Requests that use the rest are written anew, here at the
// door. It is rare, so the walk over a request only says whether it is needed.
// Source: protobuf.dev/programming-guides/encoding, "Packed Repeated Fields".

import { ProtobufWriter } from '../../kit/protobuf.ts';
import type { Signal } from '../signals.ts';
import { fieldsOf } from './message-fields.ts';
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
