// What a bound token's request says it is, and what it is stored as.

import { describe, expect, it } from 'vitest';
import { bindingOf } from '../../../collector/receive/claims.ts';
import { walkFraming } from '../../../collector/receive/framing.ts';
import { jsonToProtobuf } from '../../../collector/receive/json-to-protobuf.ts';
import { Unacceptable } from '../../../collector/receive/unacceptable.ts';
import type { Signal } from '../../../collector/signals.ts';
import type { Claims } from '../../../contract/token.ts';
import { BYTES, ProtobufWriter } from '../../../kit/protobuf.ts';

const PARTS: Readonly<Record<Signal, (resource: object | undefined, scope: object) => object>> = {
  traces: (resource, scope) => ({
    resourceSpans: [{ resource, scopeSpans: [{ scope, spans: [{ name: 'x' }] }] }],
  }),
  logs: (resource, scope) => ({
    resourceLogs: [{ resource, scopeLogs: [{ scope, logRecords: [{ eventName: 'x' }] }] }],
  }),
  metrics: (resource, scope) => ({
    resourceMetrics: [
      { resource, scopeMetrics: [{ scope, metrics: [{ name: 'x', gauge: { dataPoints: [{}] } }] }] },
    ],
  }),
};

const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });
const named = (...names: string[]) => ({ attributes: names.map((name) => attribute('service.name', name)) });
const request = (resource?: object, scope: object = { name: 'app' }, signal: Signal = 'traces') =>
  jsonToProtobuf(signal, Buffer.from(JSON.stringify(PARTS[signal](resource, scope))));
/** A request whose one resource holds these bytes. */
const withResource = (write: (writer: ProtobufWriter) => void): Buffer => {
  const writer = new ProtobufWriter(256);
  writer.message(1, () => writer.message(1, () => write(writer)));
  return writer.finish();
};

const bindTo = (claims: Claims) => {
  const bind = bindingOf(claims);
  return (said: Buffer) => bind('traces', said);
};
const asScout = bindTo({ agent: ['scout'] });
const isScout = { attributes: [attribute('service.name', 'scout')] };

describe('COL-28 a token for one agent', () => {
  it('leaves what says so as it came', () => {
    const said = request({ attributes: [attribute('host.name', 'h'), attribute('service.name', 'scout')] });
    const bound = asScout(said);
    expect(bound.request).toBe(said);
    expect(bound.overruled).toBe(0);
  });

  it.each(['traces', 'logs', 'metrics'] as const)('makes %s of another its own', (signal) => {
    const bound = asScout(request(named('writer'), { name: 'app' }, signal));
    expect(bound).toEqual({ request: request(isScout, { name: 'app' }, signal), overruled: 1 });
    expect(walkFraming(signal, bound.request).items).toBe(1);
  });

  it('says who it is where nothing is said, with a resource and without one', () => {
    expect(asScout(request({}))).toEqual({ request: request(isScout), overruled: 0 });
    const bare = new ProtobufWriter(64);
    bare.message(1, () => bare.message(2, () => bare.message(2, () => bare.string(5, 'x'))));
    const { request: written } = asScout(bare.finish());
    expect(written.toString('latin1')).toContain('service.name');
    expect(walkFraming('traces', written).items).toBe(1);
  });

  it('keeps everything else of the resource, in order', () => {
    const mixed = {
      attributes: [attribute('a', '1'), attribute('service.name', 'writer'), attribute('b', '2')],
      droppedAttributesCount: 3,
    };
    const { request: written } = asScout(request(mixed));
    for (const kept of ['a', 'b']) expect(written.includes(attributeBytes(kept))).toBe(true);
    expect(written.includes(Buffer.from('writer'))).toBe(false);
  });

  const attributeBytes = (key: string) => Buffer.from(`\n\x01${key}\x12`);

  it.each([
    ['twice', request(named('scout', 'writer'))],
    ['twice, the own one last', request(named('writer', 'scout'))],
    ['as a number', request({ attributes: [{ key: 'service.name', value: { intValue: '7' } }] })],
    ['as nothing', request({ attributes: [{ key: 'service.name' }] })],
    [
      'under a key that is written twice, the other one last',
      withResource((writer) =>
        writer.message(1, () => {
          writer.string(1, 'service.name');
          writer.string(1, 'harmless');
          writer.message(2, () => writer.string(1, 'writer'));
        }),
      ),
    ],
    [
      'with its value before its key, and two of them',
      withResource((writer) =>
        writer.message(1, () => {
          writer.message(2, () => writer.string(1, 'writer'));
          writer.string(1, 'service.name');
          writer.message(2, () => writer.string(1, 'scout'));
        }),
      ),
    ],
    [
      'with a tag of more bytes than it needs',
      withResource((writer) =>
        writer.message(1, () => {
          writer.raw(Buffer.of((1 * 8 + BYTES) | 0x80, 0));
          writer.varint(12);
          writer.raw(Buffer.from('service.name'));
          writer.message(2, () => writer.string(1, 'writer'));
        }),
      ),
    ],
  ])('believes nobody who says it %s', (_how, said) => {
    const { request: written, overruled } = asScout(said);
    expect(overruled).toBe(1);
    expect(written.includes(Buffer.from('writer'))).toBe(false);
    expect(countOf(written, 'service.name')).toBe(1);
    expect(countOf(written, 'scout')).toBe(1);
  });

  it('binds each of two resources in one part, for readers take the first, the last or both', () => {
    const writer = new ProtobufWriter(256);
    const resource = (name: string) =>
      writer.message(1, () =>
        writer.message(1, () => {
          writer.string(1, 'service.name');
          writer.message(2, () => writer.string(1, name));
        }),
      );
    writer.message(1, () => {
      resource('scout');
      resource('writer');
    });
    const bound = asScout(writer.finish());
    expect(bound.overruled).toBe(1);
    expect(countOf(bound.request, 'scout')).toBe(2);
    expect(countOf(bound.request, 'writer')).toBe(0);
  });

  it('takes from a scope the names by which records count', () => {
    const bound = asScout(request(isScout, { name: 'outrider.sidecar', version: '1' }));
    expect(bound).toEqual({ request: request(isScout, { version: '1' }), overruled: 1 });
    expect(asScout(request(isScout, { name: 'outriders' })).overruled).toBe(0);
  });

  it('refuses more resources than anybody has: each would grow', () => {
    const writer = new ProtobufWriter(65_536);
    for (let part = 0; part <= 10_000; part += 1) writer.message(1, () => undefined);
    expect(() => asScout(writer.finish())).toThrow(Unacceptable);
  });
});

describe('a token for several', () => {
  const several = bindTo({ agent: ['scout', 'pr-*'] });

  it.each(['scout', 'pr-17'])('takes %s as it came', (name) => {
    const said = request(named(name));
    expect(several(said)).toEqual({ request: said, overruled: 0 });
  });

  it.each([['writer'], ['pr'], ['scout', 'scout'], []])(
    'refuses [%s, %s]: whose it is cannot be told',
    (...names) => {
      const failure = caught(() => several(request(named(...names.filter((name) => name !== undefined)))));
      expect(failure).toMatchObject({ status: 403 });
      expect((failure as Error).message).toContain('service.name');
    },
  );
});

it('binds other attributes than the agent’s too, each by itself', () => {
  const bind = bindTo({ agent: ['*'], 'deployment.environment': ['prod'] });
  const { request: written, overruled } = bind(
    request({ attributes: [attribute('service.name', 'any'), attribute('deployment.environment', 'test')] }),
  );
  expect(overruled).toBe(1);
  expect(written).toEqual(
    request({ attributes: [attribute('service.name', 'any'), attribute('deployment.environment', 'prod')] }),
  );
});

function caught(act: () => unknown): unknown {
  try {
    act();
  } catch (failure) {
    return failure;
  }
  return null;
}

const countOf = (bytes: Buffer, text: string) => bytes.toString('latin1').split(text).length - 1;
