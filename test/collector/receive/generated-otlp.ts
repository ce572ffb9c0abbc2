// OTLP requests drawn from a seed along the table of fields: legal protobuf as no sane writer would write it. Fields come in
// any order and more than once, numbers take their extremes, unknown fields stand between. Some bytes may be changed after.

import { isScalar, type Message, type Scalar } from '../../../collector/receive/otlp-fields.ts';
import { FIELDS } from '../../../collector/receive/otlp-shape.ts';
import type { Signal } from '../../../collector/signals.ts';
import { BYTES, FIXED32, FIXED64, ProtobufWriter, VARINT } from '../../../kit/protobuf.ts';
import type { Random } from '../queue/random.ts';

const FIELDS_MAX = 200;
const DEPTH_MAX = 12;
const SMALL = [0n, 1n];
const POSITIVE = [...SMALL, 2n, 127n, 128n, 0x7fff_ffffn];
const VARINTS = [
  ...POSITIVE,
  0x8000_0000n,
  0xffff_ffffn,
  1n << 32n,
  (1n << 64n) - 0x8000_0000n,
  (1n << 64n) - 1n,
];
/** How often something is drawn that few readers take. */
const ODD = 0.01;
const FIXEDS = [0n, 1n, 1_760_000_000_000_000_000n, 1n << 63n, (1n << 64n) - 1n];
const DOUBLES = [0, -0, 1.5, -1e308, Number.NaN, Number.POSITIVE_INFINITY, 5e-324];
const TEXTS = [
  '',
  'a',
  'outrider.cost.nanodollars',
  'ünï — 💶',
  'x'.repeat(300),
  '\0\n\\\'"',
  'service.name',
];
const BYTE_STRINGS = [0, 1, 7, 8, 16, 17, 200];

/** A request of the signal; mostly the protocol's own shape. */
export function generateRequest(signal: Signal, random: Random): Buffer {
  const writer = new ProtobufWriter(4096);
  let left = 1 + random.below(FIELDS_MAX);
  const pick = <T>(list: readonly T[]): T => list[random.below(list.length)]!;

  const fill = (message: Message, depth: number): void => {
    let hasValue = false;
    for (let count = 1 + random.below(6); count > 0 && left > 0; count -= 1) {
      left -= 1;
      if (random.chance(0.02)) unknown();
      const field = pick(FIELDS[message]);
      const isValue = message === 'anyValue' || (field.kind === 'anyValue' && !field.repeated);
      if (isValue && hasValue && !random.chance(ODD)) continue;
      hasValue ||= isValue;
      if (isScalar(field.kind)) scalar[field.kind](field.number);
      else if (depth < DEPTH_MAX) nested(field.number, field.kind, depth);
    }
  };
  const nested = (number: number, kind: Message, depth: number) =>
    writer.message(number, () => fill(kind, depth + 1));
  const varint = (usual: readonly bigint[]) => (number: number) =>
    writer.int64(number, pick(random.chance(ODD) ? VARINTS : usual));
  const fixed = (number: number) => writer.fixed64(number, pick(FIXEDS));
  const packed = (number: number, one: () => void) =>
    writer.message(number, () => {
      for (let count = random.below(4) + (random.chance(ODD) ? 0 : 1); count > 0; count -= 1) one();
    });
  const unknown = () => {
    const number = 32 + random.below(900);
    const wire = pick([VARINT, FIXED64, BYTES, FIXED32]);
    writer.tag(number, wire);
    if (wire === VARINT) writer.rawVarint64(pick(VARINTS));
    else if (wire === FIXED64) writer.rawFixed64(pick(FIXEDS));
    else if (wire === FIXED32) writer.raw(Buffer.alloc(4, random.below(256)));
    else writer.varint(0);
  };
  const scalar: Readonly<Record<Scalar, (number: number) => void>> = {
    string: (number) => writer.string(number, pick(TEXTS)),
    bytes: (number) => writer.bytes(number, Buffer.alloc(pick(BYTE_STRINGS), random.below(256))),
    id: (number) => writer.bytes(number, Buffer.alloc(pick(BYTE_STRINGS), random.below(256))),
    bool: varint(SMALL),
    enum: varint([...POSITIVE, (1n << 64n) - 1n]),
    uint32: varint(POSITIVE),
    sint32: varint(POSITIVE),
    int64: varint(VARINTS),
    double: (number) => writer.double(number, pick(DOUBLES)),
    fixed64: fixed,
    sfixed64: fixed,
    fixed32: (number) => {
      writer.tag(number, FIXED32);
      writer.raw(Buffer.alloc(4, random.below(256)));
    },
    doubles: (number) => packed(number, () => writer.rawDouble(pick(DOUBLES))),
    fixed64s: (number) => packed(number, () => writer.rawFixed64(pick(FIXEDS))),
    uint64s: (number) => packed(number, () => writer.rawVarint64(pick(VARINTS))),
  };
  fill(signal, 0);
  return writer.finish();
}

/** The same with up to three bytes changed, put in or taken out. */
export function mutated(bytes: Buffer, random: Random): Buffer {
  let changed = Buffer.from(bytes);
  for (let count = 1 + random.below(3); count > 0 && changed.length > 0; count -= 1) {
    const at = random.below(changed.length);
    const byte = Buffer.from([random.below(256)]);
    const skip = random.below(2);
    const put = random.chance(0.7) ? byte : Buffer.alloc(0);
    changed = Buffer.concat([changed.subarray(0, at), put, changed.subarray(at + skip)]);
  }
  return changed;
}
