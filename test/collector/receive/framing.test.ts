import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MalformedRequest, walkFraming } from '../../../collector/receive/framing.ts';
import { rewrite } from '../../../collector/receive/rewrite.ts';
import type { Signal } from '../../../collector/signals.ts';
import { ProtobufWriter } from '../../../kit/protobuf.ts';
import { encodeRequest } from '../../../sidecar/span.ts';
import { nestedRequest, requestOf, spanIdOf } from './otlp-messages.ts';

interface FramingCase {
  readonly id: string;
  /** Traces, unless said. */
  readonly signal?: Signal;
  readonly bytes: string;
  readonly spans?: number;
  readonly bad_ids?: number;
  /** The same written so that the database can read it, where it is not. */
  readonly packed?: string;
  readonly error?: string;
}

const cases = readFileSync(new URL('../../cases/otlp-framing.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as FramingCase);

describe('the framing walk', () => {
  it.each(cases)('$id', ({ signal = 'traces', bytes, spans, bad_ids, packed, error }) => {
    const request = Buffer.from(bytes, 'hex');
    const walk = () => walkFraming(signal, request);
    if (error !== undefined) return expect(walk).toThrowError(error);
    const isLoose = packed !== undefined;
    expect(walk()).toEqual({ items: spans, badIds: bad_ids, chains: [], owners: [], reserved: 0, isLoose });
    if (isLoose) expect(rewrite(signal, request).toString('hex')).toBe(packed);
  });

  it('counts the attributes that only a sidecar may give', () => {
    const writer = new ProtobufWriter();
    for (const key of ['outrider.agent', 'outrider.', 'outrider', 'OUTRIDER.agent', 'outrides.x', 'o', ''])
      writer.message(1, () => writer.message(1, () => writer.message(1, () => writer.string(1, key))));
    const request = writer.finish();
    expect(walkFraming('traces', request).reserved).toBe(2);
    expect(walkFraming('traces', request, 'trusted').reserved).toBe(0);
  });

  it('counts every span of a request', () => {
    const spans = Array.from({ length: 300 }, (_, index) => ({ spanId: spanIdOf(index) }));
    expect(walkFraming('traces', requestOf([...spans, { spanId: '' }]))).toMatchObject({
      items: 301,
      badIds: 1,
    });
  });

  it('finds what a sidecar says of the chains in its request, and only at the resource', () => {
    const said = '[["scout/host/1",0,4,"ab"]]';
    const elsewhere = new ProtobufWriter(256);
    elsewhere.message(9, () => {
      elsewhere.string(1, 'outrider.audit.chains');
      elsewhere.message(2, () => elsewhere.string(1, 'of a span'));
    });
    const resource = { 'service.name': 'x', 'outrider.audit.chains': said, 'outrider.audit.chains.not': 'y' };
    const request = encodeRequest([elsewhere.finish()], resource);
    expect(walkFraming('traces', request)).toMatchObject({ items: 1, badIds: 1, chains: [said] });
    expect(walkFraming('traces', Buffer.concat([request, request])).chains).toEqual([said, said]);
  });

  it('takes no text where the attribute of the chains holds none', () => {
    const request = new ProtobufWriter(256);
    for (const value of [
      () => undefined,
      () => request.uint(3, 10),
      () => request.message(5, () => undefined),
    ])
      request.message(1, () =>
        request.message(1, () =>
          request.message(1, () => {
            request.string(1, 'outrider.audit.chains');
            request.message(2, value);
          }),
        ),
      );
    expect(walkFraming('traces', request.finish()).chains).toEqual([]);
  });

  it('takes values nested as deep as protobuf readers do, and no deeper', () => {
    expect(walkFraming('traces', nestedRequest(40))).toMatchObject({ items: 0, badIds: 0 });
    expect(() => walkFraming('traces', nestedRequest(1_000))).toThrowError('nested deeper');
  });

  it.each([
    ['items', () => logRecords(500_001)],
    ['attributes and other parts', () => attributes(1_000_001)],
    ['bytes of resources', () => logRecords(1_000, 'x'.repeat(70_000))],
  ])('refuses more %s than the database could unfold', (what, request) => {
    expect(() => walkFraming('logs', request())).toThrowError(
      new RegExp(`may hold \\d+ ${what}.*smaller batches`),
    );
  });

  it('never reads a request cut anywhere as whole, except between its parts', () => {
    const request = requestOf([{ name: 'one' }]);
    for (let length = 1; length < request.length; length += 1)
      expect(() => walkFraming('traces', request.subarray(0, length))).toThrowError(MalformedRequest);
  });

  it('answers any bytes with a count or a MalformedRequest', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          expect(walkFraming('traces', bytes).items).toBeGreaterThanOrEqual(0);
        } catch (failure) {
          expect(failure).toBeInstanceOf(MalformedRequest);
        }
      }),
    );
  });

  it('survives any byte of a real request being changed', () => {
    const request = requestOf([{ name: 'one' }, { name: 'two' }]);
    fc.assert(
      fc.property(fc.nat(request.length - 1), fc.nat(255), (at, byte) => {
        const changed = Buffer.from(request);
        changed[at] = byte;
        try {
          expect(walkFraming('traces', changed).items).toBeLessThanOrEqual(request.length);
        } catch (failure) {
          expect(failure).toBeInstanceOf(MalformedRequest);
        }
      }),
    );
  });
});

/** Empty log records, and a scope beside them. */
function logRecords(count: number, scopeName = ''): Buffer {
  const writer = new ProtobufWriter(1 << 20);
  writer.message(1, () =>
    writer.message(2, () => {
      for (let record = 0; record < count; record += 1) writer.bytes(2, Buffer.alloc(0));
      writer.message(1, () => writer.string(1, scopeName));
    }),
  );
  return writer.finish();
}

/** One log record with so many attributes of an empty value. */
function attributes(count: number): Buffer {
  const writer = new ProtobufWriter(1 << 20);
  const record = () => {
    for (let attribute = 0; attribute < count; attribute += 1) writer.bytes(6, Buffer.from([0x12, 0x00]));
  };
  writer.message(1, () => writer.message(2, () => writer.message(2, record)));
  return writer.finish();
}
