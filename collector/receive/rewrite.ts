// What every reader of proto3 must take and the database does not read is written anew, here at the door:
// - a list of numbers in either form, packed or one field for each, and an empty packed one: packed, or left out;
// - lists and maps in a value deeper than the database looks, as conventions of today send whole messages: the value
//   becomes its JSON as text, which is what its column shows of lists anyway.
// It is rare, so the walk over a request only says whether it is needed.
// Source: protobuf.dev/programming-guides/encoding, "Packed Repeated Fields"; opentelemetry-proto, common/v1, AnyValue.

import { ProtobufWriter } from '../../kit/protobuf.ts';
import type { Signal } from '../signals.ts';
import { fieldsOf } from './message-fields.ts';
import { type Field, MESSAGES, type Message } from './otlp-fields.ts';
import { FIELDS, listLevelsIn } from './otlp-shape.ts';
import { isDeeper, jsonOf, STRING_VALUE } from './value-json.ts';

const isList = (kind: Field['kind']): boolean =>
  kind === 'doubles' || kind === 'fixed64s' || kind === 'uint64s';

/** Messages that hold what may be written anew, they or what is in them; all others are copied as they are. */
const CARRIERS = new Set<Message>();
for (let before = -1; before < CARRIERS.size; ) {
  before = CARRIERS.size;
  for (const message of MESSAGES)
    if (
      FIELDS[message].some(({ kind }) => isList(kind) || kind === 'anyValue' || CARRIERS.has(kind as Message))
    )
      CARRIERS.add(message);
}

/** A request that the framing walk let pass → the same, as the database reads it. */
export function rewrite(signal: Signal, request: Uint8Array): Buffer {
  const writer = new ProtobufWriter(request.length);
  copyMessage(writer, signal, request, listLevelsIn(signal));
  return writer.finish();
}

/** `levels`: of lists within lists in a value that stands in this message. */
function copyMessage(writer: ProtobufWriter, message: Message, bytes: Uint8Array, levels: number): void {
  const lists = new Map<number, ProtobufWriter>();
  for (const { number, start, at, end } of fieldsOf(bytes)) {
    const kind = FIELDS[message].find((field) => field.number === number)?.kind;
    const inner = bytes.subarray(at, end);
    if (kind !== undefined && isList(kind)) listIn(lists, number).raw(inner);
    else if (kind === 'anyValue' && isDeeper(inner, levels))
      writer.message(number, () => writer.string(STRING_VALUE, jsonOf(inner)));
    else if (kind !== 'anyValue' && CARRIERS.has(kind as Message)) {
      const below = Math.min(levels, listLevelsIn(kind as Message));
      writer.message(number, () => copyMessage(writer, kind as Message, inner, below));
    } else writer.raw(bytes.subarray(start, end));
  }
  for (const [number, list] of lists) if (list.length > 0) writer.bytes(number, list.finish());
}

function listIn(lists: Map<number, ProtobufWriter>, number: number): ProtobufWriter {
  const list = lists.get(number) ?? new ProtobufWriter(256);
  lists.set(number, list);
  return list;
}
