// What leaves for other backends is exactly what sidecars sent.

import { describe, expect, it } from 'vitest';
import { batchesOf } from '../../../collector/edges/export-batch.ts';
import { requestOf, spanIdOf } from '../receive/otlp-messages.ts';
import { segmentOf } from './segments.ts';

const request = (number: number) => requestOf([{ spanId: spanIdOf(number) }]);

describe('a segment for another backend', () => {
  it('is the requests of authenticated senders, byte for byte, without receipts', () => {
    const segment = segmentOf([
      { request: request(1), sender: 'scout/host' },
      { request: request(2), sender: '' },
      { request: request(3), sender: 'join' },
    ]);
    expect(Buffer.concat([...batchesOf(segment)])).toEqual(Buffer.concat([request(1), request(3)]));
  });

  it('is cut into batches; a request is never cut', () => {
    const sent = [1, 2, 3, 4, 5].map((number) => ({ request: request(number), sender: 'a' }));
    const one = request(1).length;
    const batches = [...batchesOf(segmentOf(sent), 2 * one)];
    expect(batches.map(({ length }) => length / one)).toEqual([2, 2, 1]);
    expect([...batchesOf(segmentOf(sent), 1)]).toHaveLength(5);
  });

  it('is nothing when nobody authenticated', () => {
    expect([...batchesOf(segmentOf([{ request: request(1), sender: '' }]))]).toEqual([]);
    expect([...batchesOf(Buffer.alloc(0))]).toEqual([]);
  });

  it('throws when it is torn', () => {
    const segment = segmentOf([{ request: request(1), sender: 'a' }]);
    expect(() => [...batchesOf(segment.subarray(0, segment.length - 1))]).toThrow(/ends within/);
  });
});
