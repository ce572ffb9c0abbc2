import { expect, test } from 'vitest';
import { ProtobufWriter } from '../../kit/protobuf.ts';

function written(bytesInitial: number): string {
  const writer = new ProtobufWriter(bytesInitial);
  writer.message(1, () => {
    writer.message(2, () => writer.string(3, 'text'));
    writer.message(2, () => writer.string(3, 'é'.repeat(90)));
    writer.message(4, () => writer.int64(5, -1n));
  });
  writer.message(6, () => undefined);
  for (const bytes of ['', '01', '010203', '01020304050607'])
    writer.message(8, () => writer.raw(Buffer.from(bytes, 'hex')));
  writer.bytes(7, Buffer.from('00ff', 'hex'));
  return writer.finish().toString('hex');
}

const LARGE = 4096;

test.each(Array.from({ length: 300 }, (_, bytes) => bytes))(
  'what is written is the same wherever the buffer of at first %i bytes has to grow',
  (bytes) => {
    expect(written(bytes)).toBe(written(LARGE));
  },
);

test('nested messages stand behind their lengths', () => {
  const writer = new ProtobufWriter();
  writer.message(1, () => writer.message(2, () => writer.string(3, 'ab')));
  expect(writer.finish().toString('hex')).toBe('0a0612041a026162');
});
