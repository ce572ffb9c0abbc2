import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MalformedRequest, walkFraming } from '../../../collector/receive/framing.ts';
import { jsonToProtobuf } from '../../../collector/receive/json-to-protobuf.ts';
import { requestOf } from './otlp-messages.ts';

interface JsonCase {
  readonly id: string;
  readonly span: unknown;
  readonly bad_ids?: number;
  readonly error?: string;
}

const cases = readFileSync(new URL('../../cases/otlp-json.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as JsonCase);

const bodyOf = (span: unknown) =>
  Buffer.from(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }));

describe('COL-23 OTLP/JSON to protobuf', () => {
  it.each(cases)('$id', ({ span, bad_ids, error }) => {
    const convert = () => walkFraming('traces', jsonToProtobuf('traces', bodyOf(span)));
    if (error === undefined) expect(convert()).toMatchObject({ items: 1, badIds: bad_ids });
    else expect(convert).toThrowError(error);
  });

  it('gives the same bytes as a protobuf sender', () => {
    const span = {
      traceId: '5B8EFFF798038103D269B633813FC60C',
      spanId: '0000000000000001',
      name: 'chat gpt-5-mini',
      kind: 3,
      startTimeUnixNano: '1760000000000000000',
      endTimeUnixNano: '1760000000250000000',
      attributes: [{ key: 'gen_ai.request.model', value: { stringValue: 'gpt-5-mini' } }],
    };
    expect(jsonToProtobuf('traces', bodyOf(span))).toEqual(requestOf([{}]));
  });

  it('keeps every digit of a 64-bit number written without quotes', () => {
    const quoted = { startTimeUnixNano: '1760000000123456789', name: 'x' };
    const body = bodyOf(quoted).toString();
    const bare = body.replace('"1760000000123456789"', '1760000000123456789');
    expect(bare).not.toBe(body);
    expect(jsonToProtobuf('traces', Buffer.from(bare))).toEqual(jsonToProtobuf('traces', Buffer.from(body)));
  });

  it('takes a 64-bit integer with an exponent, and a double that is one', () => {
    const span = (start: string, double: string) =>
      `{"startTimeUnixNano":${start},"attributes":[{"key":"a","value":{"doubleValue":${double}}}]}`;
    const bytesOf = (text: string) =>
      jsonToProtobuf('traces', Buffer.from(`{"resourceSpans":[{"scopeSpans":[{"spans":[${text}]}]}]}`));
    const plain = bytesOf(span('"1760000000250000000"', '"1e300"'));
    for (const start of ['1.76000000025e18', '1.76000000025E+18', '176000000025e7', '1760000000250000000.0'])
      expect(bytesOf(span(start, '1e300'))).toEqual(plain);
    expect(() => bytesOf(span('1e20', '1'))).toThrowError('startTimeUnixNano must be an integer');
  });

  it.each([
    ['not JSON', '{', 'the body', 'is not JSON'],
    ['a list', '[]', 'the body', 'must be an object'],
    ['a list of text', '{"resourceSpans":["x"]}', 'resourceSpans[0]', 'must be an object'],
  ])('refuses %s', (_name, body, place, error) => {
    const refusal = new MalformedRequest(`${place} ${error}`, place);
    expect(() => jsonToProtobuf('traces', Buffer.from(body))).toThrowError(refusal);
  });

  it('refuses what is not UTF-8', () => {
    const body = Buffer.concat([Buffer.from('{"x":"'), Buffer.from([0xff]), Buffer.from('"}')]);
    expect(() => jsonToProtobuf('traces', body)).toThrowError('the body is not UTF-8');
  });

  it('refuses a value nested without end, without exhausting the stack', () => {
    const deep = (levels: number) =>
      `${'{"arrayValue":{"values":['.repeat(levels)}{"intValue":1}${']}}'.repeat(levels)}`;
    const body = (levels: number) =>
      Buffer.from(`{"resourceSpans":[{"resource":{"attributes":[{"key":"deep","value":${deep(levels)}}]}}]}`);
    expect(walkFraming('traces', jsonToProtobuf('traces', body(30)))).toMatchObject({ items: 0, badIds: 0 });
    expect(() => jsonToProtobuf('traces', body(1_000))).toThrowError('nested less deeply');
  });

  it('reads an empty request as one', () => {
    expect(jsonToProtobuf('traces', Buffer.from('{}')).length).toBe(0);
  });
});

describe('a request with every kind of field', () => {
  const { request } = JSON.parse(
    readFileSync(new URL('../../cases/otlp-trace.json', import.meta.url), 'utf8'),
  ) as { request: unknown };
  const bytes = jsonToProtobuf('traces', Buffer.from(JSON.stringify(request)));

  it('is whole for the framing walk', () => {
    expect(walkFraming('traces', bytes)).toMatchObject({ items: 1, badIds: 0 });
  });

  it.each([
    ['service name', '0a0c736572766963652e6e616d65'],
    ['negative int', '18ffffffffffffffffff01'],
    ['double', '21000000000000f83f'],
    ['false, though it is the default', '1000'],
    [
      'start time',
      `39${Buffer.from(new BigUint64Array([1_544_712_660_000_000_000n]).buffer).toString('hex')}`,
    ],
    ['flags', '850100010000'],
    ['array of two', '2a070a030a01780a00'],
    ['status', '7a0712036375741802'],
  ])('keeps its %s', (_name, hex) => {
    expect(bytes.toString('hex')).toContain(hex);
  });
});
