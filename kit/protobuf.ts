// Just enough of protobuf's wire format to write OTLP and to walk its framing: no schema, no reflection.
// Source: protobuf.dev/programming-guides/encoding.

export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

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
    this.#reserve(10);
    let rest = value;
    while (rest > 0x7f) {
      this.#buffer[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#buffer[this.#length++] = rest;
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
    this.#reserve(8);
    this.#buffer.writeBigUInt64LE(value, this.#length);
    this.#length += 8;
  }

  double(field: number, value: number): void {
    this.tag(field, FIXED64);
    this.#reserve(8);
    this.#buffer.writeDoubleLE(value, this.#length);
    this.#length += 8;
  }

  string(field: number, value: string): void {
    this.tag(field, BYTES);
    const bytes = Buffer.byteLength(value);
    this.varint(bytes);
    this.#reserve(bytes);
    this.#buffer.write(value, this.#length, 'utf8');
    this.#length += bytes;
  }

  bytes(field: number, value: Uint8Array): void {
    this.tag(field, BYTES);
    this.varint(value.length);
    this.raw(value);
  }

  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
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
    if (extra > 0) {
      this.#reserve(extra);
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
    if (this.#length + bytes <= this.#buffer.length) return;
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
