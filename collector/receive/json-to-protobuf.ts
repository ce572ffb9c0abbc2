// OTLP/JSON becomes protobuf once, here at the door, so that everything behind it knows a single format.
// Only names the protocol defines are read, in lowerCamelCase; all others are ignored, as it asks.
// Source: open-telemetry/opentelemetry-proto docs/specification.md, "JSON Protobuf Encoding".

import { FIXED32, ProtobufWriter } from '../../kit/protobuf.ts';
import type { Signal } from '../signals.ts';
import { MalformedRequest } from './framing.ts';
import {
  INT32_MAX,
  INT32_MIN,
  INT64_MAX,
  INT64_MIN,
  NotAllowed,
  NumberTooPrecise,
  readBoolean,
  readBytes,
  readDouble,
  readEnum,
  readId,
  readInteger,
  readString,
  UINT32_MAX,
  UINT64_MAX,
} from './json-value.ts';
import { type Field, isScalar, type Message, type Scalar } from './otlp-fields.ts';
import { DEPTH_MAX, FIELDS, ONE_OF } from './otlp-shape.ts';

/** An export request as JSON bytes → the same as protobuf bytes. Throws MalformedRequest. */
export function jsonToProtobuf(signal: Signal, body: Uint8Array): Buffer {
  const text = decodeUtf8(body);
  try {
    return encodeRequest(signal, parse(text));
  } catch (failure) {
    if (!(failure instanceof NumberTooPrecise)) throw failure;
    return encodeRequest(signal, parse(text, keepDigits));
  }
}

type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown;

/** Numbers beyond 2⁵³ keep the digits they were written with, as strings. Slow, hence only when one was met. */
const keepDigits: Reviver = (_key, value, { source = '' }) =>
  Number.isInteger(value) && !Number.isSafeInteger(value) ? plainDigits(source) : value;

/** `1.76e+18`, as Python writes a time that it has multiplied → `1760000000000000000`; of an integer, whole. */
function plainDigits(source: string): string {
  const [mantissa = '', exponent = '0'] = source.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  return (whole + fraction.padEnd(Number(exponent), '0')).slice(0, whole.length + Number(exponent));
}

function decodeUtf8(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw new MalformedRequest('the body is not UTF-8');
  }
}

function parse(text: string, reviver?: Reviver): unknown {
  try {
    return JSON.parse(text, reviver as (key: string, value: unknown) => unknown);
  } catch {
    throw new MalformedRequest('the body is not JSON');
  }
}

function encodeRequest(signal: Signal, body: unknown): Buffer {
  const encoder = new Encoder();
  try {
    return encoder.encode(signal, body);
  } catch (failure) {
    if (!(failure instanceof NotAllowed)) throw failure;
    throw new MalformedRequest(`${encoder.place} must be ${failure.message}`, encoder.place);
  }
}

/** Walks the JSON along the table of fields; `place` is where it stands, or stood when it threw. */
class Encoder {
  readonly #writer = new ProtobufWriter(16_384);
  readonly #path: (string | number)[] = [];

  encode(signal: Signal, body: unknown): Buffer {
    this.#fields(signal, body);
    return this.#writer.finish();
  }

  /** E.g. `resourceSpans[0].scopeSpans[0].spans[2].traceId`. */
  get place(): string {
    const path = this.#path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');
    return path.slice(1) || 'the body';
  }

  #fields(message: Message, from: unknown): void {
    if (typeof from !== 'object' || from === null || Array.isArray(from)) throw new NotAllowed('an object');
    const members = from as Readonly<Record<string, unknown>>;
    if (ONE_OF[message]) atMostOne(members, ONE_OF[message]);
    for (const field of FIELDS[message]) {
      const value = members[field.name];
      if (value === undefined || value === null) continue; // both mean the default
      this.#at(field.name, () => (field.repeated ? this.#list(field, value) : this.#value(field, value)));
    }
  }

  #list(field: Field, list: unknown): void {
    if (!Array.isArray(list)) throw new NotAllowed('an array');
    list.forEach((member, index) => {
      this.#at(index, () => this.#value(field, member));
    });
  }

  #value(field: Field, value: unknown): void {
    const { number, kind } = field;
    if (isScalar(kind)) writeScalar[kind](this.#writer, number, value);
    else this.#writer.message(number, () => this.#fields(kind, value));
  }

  /** Not popped when `step` throws: that is how the place is known. */
  #at(name: string | number, step: () => void): void {
    if (this.#path.push(name) > PATH_STEPS_MAX) throw new NotAllowed('nested less deeply');
    step();
    this.#path.pop();
  }
}

/** Two steps at most, a name and an index, for each level that the walk over the bytes allows. */
const PATH_STEPS_MAX = 2 * DEPTH_MAX;

function atMostOne(members: Readonly<Record<string, unknown>>, names: readonly string[]): void {
  const given = names.filter((name) => (members[name] ?? null) !== null);
  if (given.length > 1) throw new NotAllowed('one value, of one type');
}

const writeScalar: Readonly<Record<Scalar, (writer: ProtobufWriter, field: number, value: unknown) => void>> =
  {
    string: (writer, field, value) => writer.string(field, readString(value)),
    bytes: (writer, field, value) => writer.bytes(field, readBytes(value)),
    id: (writer, field, value) => writer.bytes(field, readId(value)),
    bool: (writer, field, value) => writer.uint(field, readBoolean(value) ? 1 : 0),
    enum: (writer, field, value) => writer.uint(field, readEnum(value)),
    uint32: (writer, field, value) => writer.uint(field, Number(readInteger(value, 0n, UINT32_MAX))),
    sint32: (writer, field, value) => writer.uint(field, zigzag(readInteger(value, INT32_MIN, INT32_MAX))),
    int64: (writer, field, value) => writer.int64(field, readInteger(value, INT64_MIN, INT64_MAX)),
    double: (writer, field, value) => writer.double(field, readDouble(value)),
    fixed64: (writer, field, value) => writer.fixed64(field, readInteger(value, 0n, UINT64_MAX)),
    sfixed64: (writer, field, value) =>
      writer.fixed64(field, BigInt.asUintN(64, readInteger(value, INT64_MIN, INT64_MAX))),
    fixed32: (writer, field, value) => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32LE(Number(readInteger(value, 0n, UINT32_MAX)));
      writer.tag(field, FIXED32);
      writer.raw(bytes);
    },
    doubles: (writer, field, value) =>
      writePacked(writer, field, value, (bytes, member) => bytes.rawDouble(readDouble(member))),
    fixed64s: (writer, field, value) =>
      writePacked(writer, field, value, (bytes, member) =>
        bytes.rawFixed64(readInteger(member, 0n, UINT64_MAX)),
      ),
    uint64s: (writer, field, value) =>
      writePacked(writer, field, value, (bytes, member) =>
        bytes.rawVarint64(readInteger(member, 0n, UINT64_MAX)),
      ),
  };

function writePacked(
  writer: ProtobufWriter,
  field: number,
  list: unknown,
  write: (writer: ProtobufWriter, member: unknown) => void,
): void {
  if (!Array.isArray(list)) throw new NotAllowed('an array');
  if (list.length === 0) return; // as every protobuf writer does
  writer.message(field, () => {
    for (const member of list) write(writer, member);
  });
}

/** Small numbers of either sign become small numbers. */
const zigzag = (value: bigint): number => Number(value >= 0n ? value * 2n : value * -2n - 1n);
