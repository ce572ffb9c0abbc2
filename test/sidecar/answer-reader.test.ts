// The reader's copy of a compressed answer: every coding agents ask for, and what is made to burst it.

import { randomBytes } from 'node:crypto';
import { brotliCompressSync, constants, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readerOf } from '../../sidecar/answer-reader.ts';
import type { Answered } from '../../sidecar/call.ts';
import type { Metered } from '../../sidecar/dialects/metered.ts';

const MIB = 1024 * 1024;

/** What the dialect gets to read; null where it gets nothing. */
function read(bytes: Buffer, encoding: string): Buffer | null {
  let plain: Buffer | null = null;
  const call = {
    answer: {
      status: 200,
      headers: [],
      header: (name: string) => (name === 'content-encoding' ? encoding : undefined),
    },
    description: { acts: [] },
    endpoint: { billed: 'tokens', operation: 'chat' },
    dialect: {
      streams: () => false,
      meterWhole(_: unknown, whole: Buffer): Metered | null {
        plain = whole;
        return null;
      },
    },
    outbound: { dropUsageChunk: false },
  } as unknown as Answered;
  const reader = readerOf(call);
  expect(reader.push(bytes)).toBe(bytes);
  reader.metered();
  return plain;
}

const honest = Buffer.from(JSON.stringify({ usage: { total_tokens: 7 }, text: 'word '.repeat(20_000) }));
const zstd = (bytes: Buffer, windowLog: number): Buffer =>
  zstdCompressSync(bytes, { params: { [constants.ZSTD_c_windowLog]: windowLog } });

describe('a compressed answer', () => {
  it.each([
    ['gzip', gzipSync(honest)],
    ['GZIP', gzipSync(honest)],
    ['x-gzip', gzipSync(honest)],
    ['deflate', deflateSync(honest)],
    ['br', brotliCompressSync(honest)],
    ['zstd', zstdCompressSync(honest)],
    ['identity', honest],
  ])('in %s is read', (encoding, bytes) => {
    expect(read(bytes, encoding)?.equals(honest)).toBe(true);
  });

  it('that ends in the middle is read as far as it goes', () => {
    const noise = Buffer.from(Array.from({ length: 50_000 }, (_, i) => (i * i * 31) % 251));
    const whole = gzipSync(noise);
    const plain = read(whole.subarray(0, whole.length - 20), 'gzip');
    expect(plain && plain.length > 0 && noise.subarray(0, plain.length).equals(plain)).toBe(true);
  });

  const zeros = Buffer.alloc(64 * MIB);
  it.each([
    ['DOS-05', 'gzip', () => gzipSync(zeros)],
    ['DOS-06', 'br', () => brotliCompressSync(zeros, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } })],
    ['DOS-07', 'zstd', () => zstdCompressSync(zeros)],
  ])('%s: made to burst by %s is not read', (_, encoding, bomb) => {
    expect(read(bomb(), encoding)).toBeNull();
  });

  it('DOS-07: that asks for a window of 16 MiB is not read, one of 8 MiB is', () => {
    const noise = randomBytes(16 * MIB);
    expect(read(zstd(noise, 23), 'zstd')?.equals(noise)).toBe(true);
    expect(read(zstd(noise, 24), 'zstd')).toBeNull();
  });

  it.each([
    ['two codings', 'gzip, gzip'],
    ['three codings', 'gzip, gzip, gzip'],
    ['a thousand', new Array(1_000).fill('gzip').join(', ')],
    ['one nobody knows', 'lzma'],
  ])('DOS-08: in %s is not read', (_, encoding) => {
    expect(read(gzipSync(gzipSync(honest)), encoding)).toBeNull();
  });
});

describe('a whole answer', () => {
  const usage = { outputTokens: 1 };
  const readerThatFinds = (found: object | null) =>
    readerOf({
      answer: { status: 200, headers: [], header: () => undefined },
      description: { acts: [] },
      endpoint: { billed: 'tokens', operation: 'chat' },
      dialect: { streams: () => false, meterWhole: () => ({ usage: found, complete: true }) },
      outbound: { dropUsageChunk: false },
    } as unknown as Answered);

  it.each([
    ['before its end', null, false, false],
    ['before its end, when its usage was there', usage, false, true],
    ['at its end', null, true, true],
  ])('read %s', (_, found, ended, complete) => {
    const reader = readerThatFinds(found);
    reader.push(Buffer.from('{'));
    if (ended) reader.flush();
    expect(reader.metered()?.complete).toBe(complete);
  });
});
