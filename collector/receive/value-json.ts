// An AnyValue of any depth as JSON, as the load writes one whose lists it reads: integers with all their digits, bytes in
// base64, no number and nothing at all as null, the members of a map as they came, also two of one name.
// Source: opentelemetry-proto, common/v1.

import { fieldsOf } from './message-fields.ts';

export const STRING_VALUE = 1;
const BOOL_VALUE = 2;
const INT_VALUE = 3;
const DOUBLE_VALUE = 4;
const ARRAY_VALUE = 5;
const KVLIST_VALUE = 6;
const BYTES_VALUE = 7;
/** Of an ArrayValue, and of a KeyValueList. */
const VALUES = 1;
const KEY = 1;
const VALUE = 2;

/** Whether it holds lists within lists, more than `levels` of them. Of bytes that the framing walk let pass, as below. */
export function isDeeper(value: Uint8Array, levels: number): boolean {
  for (const { number, at, end } of fieldsOf(value)) {
    if (number !== ARRAY_VALUE && number !== KVLIST_VALUE) continue;
    if (levels === 0) return true;
    for (const member of membersOf(value.subarray(at, end)))
      if (isDeeper(number === ARRAY_VALUE ? member : givenOf(member), levels - 1)) return true;
  }
  return false;
}

export function jsonOf(value: Uint8Array): string {
  for (const { number, at, end } of fieldsOf(value)) {
    const inner = value.subarray(at, end);
    switch (number) {
      case STRING_VALUE:
        return JSON.stringify(textOf(inner));
      case BOOL_VALUE:
        return String(inner[0] !== 0);
      case INT_VALUE:
        return String(int64Of(inner));
      case DOUBLE_VALUE:
        return numberJson(new DataView(inner.buffer, inner.byteOffset).getFloat64(0, true));
      case ARRAY_VALUE:
        return `[${membersOf(inner).map(jsonOf).join(',')}]`;
      case KVLIST_VALUE:
        return `{${membersOf(inner).map(memberJson).join(',')}}`;
      case BYTES_VALUE:
        return JSON.stringify(Buffer.from(inner).toString('base64'));
    }
  }
  return 'null';
}

const memberJson = (keyValue: Uint8Array): string =>
  `${JSON.stringify(keyOf(keyValue))}:${jsonOf(givenOf(keyValue))}`;

const membersOf = (list: Uint8Array): Uint8Array[] =>
  [...fieldsOf(list)].filter(({ number }) => number === VALUES).map(({ at, end }) => list.subarray(at, end));

const NOTHING: Uint8Array = new Uint8Array();

/** As every reader of protobuf: of several keys the last. */
const keyOf = (keyValue: Uint8Array): string => textOf(lastField(keyValue, KEY));
const givenOf = (keyValue: Uint8Array): Uint8Array => lastField(keyValue, VALUE);

function lastField(message: Uint8Array, wanted: number): Uint8Array {
  let last = NOTHING;
  for (const { number, at, end } of fieldsOf(message))
    if (number === wanted) last = message.subarray(at, end);
  return last;
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

function int64Of(varint: Uint8Array): bigint {
  const bits = varint.reduceRight((value, byte) => (value << 7n) | BigInt(byte & 0x7f), 0n);
  return BigInt.asIntN(64, bits);
}

const numberJson = (value: number): string => (Number.isFinite(value) ? String(value) : 'null');
