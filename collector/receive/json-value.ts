// OTLP/JSON's scalars: each function turns one JSON value into what protobuf holds, or throws NotAllowed with what it
// should have been. The caller knows the place and says it.
// Source: open-telemetry/opentelemetry-proto docs/specification.md, "JSON Protobuf Encoding".

/** The message is what the value must be: "hex digits". */
export class NotAllowed extends Error {
  override name = 'NotAllowed';
}

/** A 64-bit integer was written as a number JavaScript can't hold: the text must be read again, keeping its digits. */
export class NumberTooPrecise extends Error {
  override name = 'NumberTooPrecise';
}

export const UINT32_MAX = 0xffff_ffffn;
export const UINT64_MAX = (1n << 64n) - 1n;
export const INT64_MAX = (1n << 63n) - 1n;
export const INT64_MIN = -(1n << 63n);
export const INT32_MAX = 0x7fff_ffffn;
export const INT32_MIN = -0x8000_0000n;
const ENUM_MAX = 0x7fff_ffff;
const NUMBER_WORDS = ['NaN', 'Infinity', '-Infinity'];

export function readString(value: unknown): string {
  if (typeof value !== 'string') throw new NotAllowed('a string');
  return value;
}

export function readBoolean(value: unknown): boolean {
  if (typeof value !== 'boolean') throw new NotAllowed('true or false');
  return value;
}

/** Hex of either case; base64, which plain protobuf JSON would use for ids, is refused. */
export function readId(value: unknown): Buffer {
  const text = readString(value);
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text)) throw new NotAllowed('hex digits');
  return Buffer.from(text, 'hex');
}

export function readBytes(value: unknown): Buffer {
  const text = readString(value);
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) throw new NotAllowed('base64');
  return Buffer.from(text, 'base64');
}

/** Enums are integers; their names, which plain protobuf JSON would allow, are refused. */
export function readEnum(value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > ENUM_MAX)
    throw new NotAllowed('an integer, not the name of an enum value');
  return value;
}

export function readDouble(value: unknown): number {
  if (typeof value === 'number') return value;
  const isNumeric = typeof value === 'string' && /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value);
  if (!isNumeric && !NUMBER_WORDS.includes(value as string)) throw new NotAllowed('a number');
  return Number(value);
}

/** An integer as a number or a decimal string, within `min` and `max`. */
export function readInteger(value: unknown, min: bigint, max: bigint): bigint {
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value))
    throw new NumberTooPrecise();
  const isInteger = Number.isInteger(value) || (typeof value === 'string' && /^-?\d{1,20}$/.test(value));
  const integer = isInteger ? BigInt(value as number | string) : null;
  if (integer === null || integer < min || integer > max)
    throw new NotAllowed(`an integer from ${min} to ${max}, as a number or a decimal string`);
  return integer;
}
