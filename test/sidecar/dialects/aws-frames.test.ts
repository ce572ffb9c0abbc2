// Frames are read as Smithy's own codec reads them, at every split of their bytes, and written as it reads them; what is
// not sound is never read, and never read past.

import { crc32 } from 'node:zlib';
import { EventStreamCodec } from '@smithy/eventstream-codec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  FRAME_BYTES_MAX,
  type FrameHeaders,
  readFrames,
  writeFrame,
} from '../../../sidecar/dialects/aws-frames.ts';

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes).toString('utf8'),
  (text) => Buffer.from(text),
);

interface Frame {
  readonly headers: FrameHeaders;
  readonly payload: string;
}

function read(chunks: readonly Buffer[]): { frames: Frame[]; unread: number; unfinished: number } {
  const frames: Frame[] = [];
  const reader = readFrames((headers, payload) =>
    frames.push({ headers: { ...headers }, payload: payload.toString('hex') }),
  );
  for (const chunk of chunks) reader.push(chunk);
  return { frames, unread: reader.unreadBytes(), unfinished: reader.unfinishedBytes() };
}

const name = fc
  .string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 20 })
  .filter((key) => key !== '__proto__');
const header = fc.oneof(
  fc.record({ type: fc.constant('string' as const), value: fc.string({ unit: 'grapheme', maxLength: 30 }) }),
  fc.record({ type: fc.constant('boolean' as const), value: fc.boolean() }),
  fc.record({ type: fc.constant('byte' as const), value: fc.integer({ min: -128, max: 127 }) }),
  fc.record({ type: fc.constant('short' as const), value: fc.integer({ min: -32_768, max: 32_767 }) }),
  fc.record({ type: fc.constant('integer' as const), value: fc.integer() }),
  fc.record({ type: fc.constant('binary' as const), value: fc.uint8Array({ maxLength: 30 }) }),
  fc.record({
    type: fc.constant('timestamp' as const),
    value: fc.integer({ min: 0 }).map((ms) => new Date(ms)),
  }),
);
const message = fc.record({
  headers: fc.dictionary(name, header, { maxKeys: 6, noNullPrototype: true }),
  body: fc.uint8Array({ maxLength: 200 }),
});

const encode = (one: { headers: object; body: Uint8Array }): Buffer =>
  Buffer.from(codec.encode(one as never));

describe('frames', () => {
  it('are read as the codec wrote them, however they are split', () => {
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 5 }),
        fc.array(fc.nat(400), { maxLength: 6 }),
        (messages, cuts) => {
          const bytes = Buffer.concat(messages.map(encode));
          const places = [
            0,
            ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b),
            bytes.length,
          ];
          const chunks = places.slice(1).map((end, at) => bytes.subarray(places[at], end));
          const expected = messages.map(({ headers, body }) => ({
            headers: Object.fromEntries(
              Object.entries(headers).flatMap(([key, { type, value }]) =>
                type === 'string' ? [[key, value]] : [],
              ),
            ),
            payload: Buffer.from(body).toString('hex'),
          }));
          expect(read(chunks)).toEqual({ frames: expected, unread: 0, unfinished: 0 });
          const single = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
          expect(read(single).frames).toEqual(expected);
        },
      ),
    );
  });

  it('are written as the codec reads them', () => {
    const headers = fc.dictionary(name, fc.string({ unit: 'grapheme', maxLength: 40 }), {
      noNullPrototype: true,
    });
    fc.assert(
      fc.property(headers, fc.uint8Array(), (texts, payload) => {
        const decoded = codec.decode(writeFrame(texts, Buffer.from(payload)));
        expect(Buffer.from(decoded.body)).toEqual(Buffer.from(payload));
        expect(
          Object.fromEntries(Object.entries(decoded.headers).map(([key, { value }]) => [key, value])),
        ).toEqual(texts);
      }),
    );
  });

  it('that are broken anywhere are not read, nor is what follows', () => {
    fc.assert(
      fc.property(message, fc.nat(), fc.integer({ min: 1, max: 255 }), (one, place, flip) => {
        const sound = encode(one);
        const broken = Buffer.from(sound);
        broken[place % broken.length]! ^= flip;
        const { frames, unread, unfinished } = read([sound, broken, sound, sound]);
        expect(frames).toHaveLength(1);
        expect(unread + unfinished).toBe(3 * sound.length);
      }),
    );
  });

  it('agree with the codec on any bytes under sound checksums', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (headerBytes) => {
        const bytes = withHeaders(Buffer.from(headerBytes));
        const { frames } = read([bytes]);
        const readable = (() => {
          try {
            codec.decode(bytes);
            return true;
          } catch {
            return false;
          }
        })();
        if (frames.length === 1) expect(readable).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('longer than the most are not waited for', () => {
    const prelude = encode({ headers: {}, body: new Uint8Array(FRAME_BYTES_MAX) }).subarray(0, 12);
    expect(read([prelude])).toEqual({ frames: [], unread: 12, unfinished: 0 });
  });

  it('tell how much of one has passed', () => {
    const frame = encode({ headers: {}, body: new Uint8Array(10) });
    expect(read([frame, frame.subarray(0, 5)]).unfinished).toBe(5);
    expect(read([frame, frame.subarray(0, 20)]).unfinished).toBe(20);
  });
});

/** A frame whose headers are just these bytes, with its checksums. */
function withHeaders(headers: Buffer): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(12), headers, Buffer.alloc(4)]);
  bytes.writeUInt32BE(bytes.length, 0);
  bytes.writeUInt32BE(headers.length, 4);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 8)), 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
  return bytes;
}
