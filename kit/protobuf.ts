// Just enough of protobuf's wire format to write OTLP and to walk its framing: no schema, no reflection.
// Source: protobuf.dev/programming-guides/encoding.

export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

const VARINT_BYTES_MAX = 10;
/** Up to so many bytes are copied one by one, which is faster than a call into native code. */
const SHORT_TEXT = 64;

/** Appends fields to a growing buffer. One writer may be reused: `finish` copies out and resets. */
export class ProtobufWriter {
  #buffer: Buffer;
  #length = 0;

  constructor(bytesInitial = 4096) {
    this.#buffer = Buffer.allocUnsafeSlow(bytesInitial);
  }

  get length(): number {
    return this.#length;
  }

  /** A non-negative integer below 2⁵³. */
  varint(value: number): void {
    if (this.#length + VARINT_BYTES_MAX > this.#buffer.length) this.#grow(VARINT_BYTES_MAX);
    const buffer = this.#buffer;
    let at = this.#length;
    let rest = value;
    while (rest > 0x7f) {
      buffer[at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    buffer[at++] = rest;
    this.#length = at;
  }

  tag(field: number, wireType: number): void {
    this.varint(field * 8 + wireType);
  }

  uint(field: number, value: number): void {
    this.tag(field, VARINT);
    this.varint(value);
  }

  /** int64 as OTLP's AnyValue.int_value has it; negatives take ten bytes. */
  int64(field: number, value: bigint): void {
    this.tag(field, VARINT);
    this.rawVarint64(value);
  }

  /** Without tag: what a packed list holds. */
  rawVarint64(value: bigint): void {
    let rest = BigInt.asUintN(64, value);
    this.#reserve(10);
    while (rest > 0x7fn) {
      this.#buffer[this.#length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#buffer[this.#length++] = Number(rest);
  }

  fixed64(field: number, value: bigint): void {
    this.tag(field, FIXED64);
    this.rawFixed64(value);
  }

  rawFixed64(value: bigint): void {
    this.#reserve(8);
    this.#buffer.writeBigUInt64LE(value, this.#length);
    this.#length += 8;
  }

  double(field: number, value: number): void {
    this.tag(field, FIXED64);
    this.rawDouble(value);
  }

  rawDouble(value: number): void {
    this.#reserve(8);
    this.#buffer.writeDoubleLE(value, this.#length);
    this.#length += 8;
  }

  string(field: number, value: string): void {
    this.tag(field, BYTES);
    const bytes = this.textBytes(value);
    this.varint(bytes);
    this.text(value, bytes);
  }

  /** How many bytes of UTF-8 `text` will write. */
  textBytes(value: string): number {
    const { length } = value;
    if (length > SHORT_TEXT) return Buffer.byteLength(value);
    for (let i = 0; i < length; i++) if (value.charCodeAt(i) > 0x7f) return Buffer.byteLength(value);
    return length;
  }

  /** Without tag and length; `bytes` is what `textBytes` said. */
  text(value: string, bytes: number): void {
    if (this.#length + bytes > this.#buffer.length) this.#grow(bytes);
    const buffer = this.#buffer;
    const at = this.#length;
    if (value.length === bytes && bytes <= SHORT_TEXT) {
      for (let i = 0; i < bytes; i++) buffer[at + i] = value.charCodeAt(i);
    } else {
      buffer.write(value, at, 'utf8');
    }
    this.#length = at + bytes;
  }

  bytes(field: number, value: Uint8Array): void {
    this.tag(field, BYTES);
    this.varint(value.length);
    this.raw(value);
  }

  raw(value: Uint8Array): void {
    const { length } = value;
    if (this.#length + length > this.#buffer.length) this.#grow(length);
    const buffer = this.#buffer;
    const at = this.#length;
    if (length > SHORT_TEXT) buffer.set(value, at);
    else for (let i = 0; i < length; i++) buffer[at + i] = value[i]!;
    this.#length = at + length;
  }

  /** A nested message: `write` fills it, its length is put before it. */
  message(field: number, write: () => void): void {
    this.tag(field, BYTES);
    const start = this.#length;
    this.#reserve(5);
    this.#length += 1; // most messages are shorter than 128 bytes
    write();
    const size = this.#length - start - 1;
    const extra = varintBytes(size) - 1;
    this.#reserve(VARINT_BYTES_MAX); // while all that was written counts: growing keeps no more
    if (extra > 0) {
      this.#buffer.copyWithin(start + 1 + extra, start + 1, this.#length);
    }
    const end = this.#length + extra;
    this.#length = start;
    this.varint(size);
    this.#length = end;
  }

  finish(): Buffer {
    const copy = Buffer.from(this.#buffer.subarray(0, this.#length));
    this.#length = 0;
    return copy;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes > this.#buffer.length) this.#grow(bytes);
  }

  #grow(bytes: number): void {
    const bigger = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#length + bytes));
    this.#buffer.copy(bigger, 0, 0, this.#length);
    this.#buffer = bigger;
  }
}

export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes += 1;
  return bytes;
}
