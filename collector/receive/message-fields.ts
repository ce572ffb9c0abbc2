// The fields of one protobuf message, one after the other, for those who write a request anew.

import { BYTES, FIXED32, FIXED64 } from '../../kit/protobuf.ts';

export interface Found {
  readonly number: number;
  /** Where the tag begins. */
  readonly start: number;
  /** Where the value begins, behind tag and length. */
  readonly at: number;
  readonly end: number;
}

/** Of bytes that the framing walk let pass. */
export function* fieldsOf(bytes: Uint8Array): Generator<Found> {
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
