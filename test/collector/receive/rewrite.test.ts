// What a request written anew says: the same as before, where the database reads it.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { walkFraming } from '../../../collector/receive/framing.ts';
import { jsonToProtobuf } from '../../../collector/receive/json-to-protobuf.ts';
import { rewrite } from '../../../collector/receive/rewrite.ts';

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** OTLP/JSON's AnyValue of a plain value; whole numbers are integers. */
function anyValue(value: Json): Record<string, unknown> {
  if (value === null) return {};
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  return { kvlistValue: { values: Object.entries(value).map(([key, each]) => attribute(key, each)) } };
}
const attribute = (key: string, value: Json) => ({ key, value: anyValue(value) });

const levelsOf = (value: Json): number =>
  value === null || typeof value !== 'object' ? 0 : 1 + Math.max(0, ...Object.values(value).map(levelsOf));

const IDS = { traceId: '5b8efff798038103d269b633813fc60c', spanId: 'eee19b7ec3c1b174' };

const traces = (span: Record<string, unknown>) =>
  jsonToProtobuf(
    'traces',
    Buffer.from(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [{ ...IDS, ...span }] }] }] })),
  );

/** The same span with the texts that its values become. */
function expectRewritten(given: Record<string, unknown>, expected: Record<string, unknown>): void {
  const request = traces(given);
  expect(walkFraming('traces', request).isLoose).toBe(true);
  const written = rewrite('traces', request);
  expect(written.toString('hex')).toBe(traces(expected).toString('hex'));
  expect(walkFraming('traces', written).isLoose).toBe(false);
}

const MESSAGES: Json = [
  { role: 'user', parts: [{ type: 'text', content: 'Where is “Quito”?\n\u0001' }] },
  {
    role: 'assistant',
    parts: [{ type: 'tool_call', id: 7, arguments: { city: 'Quito', exact: true, at: null } }],
  },
];

describe('a value whose lists are deeper than the database reads', () => {
  it('becomes its JSON as text', () => {
    const text = { stringValue: JSON.stringify(MESSAGES) };
    const plain = attribute('k', ['one', 'level']);
    expectRewritten(
      { attributes: [attribute('gen_ai.input.messages', MESSAGES), plain], name: 'chat' },
      { attributes: [{ key: 'gen_ai.input.messages', value: text }, plain], name: 'chat' },
    );
  });

  it.each(['events', 'links'])('in %s at the first list', (where) => {
    const inWhich = where === 'links' ? IDS : {};
    expectRewritten(
      { [where]: [{ ...inWhich, attributes: [attribute('k', ['v', 1])] }] },
      { [where]: [{ ...inWhich, attributes: [attribute('k', '["v",1]')] }] },
    );
  });

  it('keeps all digits, bytes in base64, and null for no number', () => {
    const values = [
      { intValue: '-9223372036854775808' },
      { doubleValue: 0.1 },
      { doubleValue: 'NaN' },
      { bytesValue: 'AQL/' },
      {},
      { kvlistValue: { values: [attribute('twice', 1), attribute('twice', 2), { key: 'none' }] } },
    ];
    const text = '[[-9223372036854775808,0.1,null,"AQL/",null,{"twice":1,"twice":2,"none":null}]]';
    expectRewritten(
      { attributes: [{ key: 'k', value: { arrayValue: { values: [{ arrayValue: { values } }] } } }] },
      { attributes: [attribute('k', text)] },
    );
  });

  it('stands in the body of a log record, and beside an exemplar', () => {
    const log = (body: unknown) =>
      jsonToProtobuf(
        'logs',
        Buffer.from(JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [{ body }] }] }] })),
      );
    expect(rewrite('logs', log(anyValue(MESSAGES))).toString('hex')).toBe(
      log({ stringValue: JSON.stringify(MESSAGES) }).toString('hex'),
    );
    const gauge = (value: Json) => {
      const exemplars = [{ asInt: '1', filteredAttributes: [attribute('k', value)] }];
      const metrics = [{ name: 'm', gauge: { dataPoints: [{ asInt: '1', exemplars }] } }];
      return jsonToProtobuf(
        'metrics',
        Buffer.from(JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] })),
      );
    };
    expect(walkFraming('metrics', gauge(['v'])).isLoose).toBe(true);
    expect(rewrite('metrics', gauge(['v'])).toString('hex')).toBe(gauge('["v"]').toString('hex'));
  });

  it('says what it said, whatever it is, and nothing else is touched', () => {
    const plain = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.maxSafeInteger(),
      fc.boolean(),
      fc.constant(null),
    );
    const { value } = fc.letrec<{ value: Json }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        plain,
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(
          fc.string().filter((key) => key !== '__proto__'),
          tie('value'),
          { maxKeys: 3 },
        ),
      ),
    }));
    fc.assert(
      fc.property(value, (given) => {
        const request = traces({ attributes: [attribute('k', given)] });
        const isDeep = levelsOf(given) > 1;
        expect(walkFraming('traces', request).isLoose).toBe(isDeep);
        const expected = isDeep ? traces({ attributes: [attribute('k', JSON.stringify(given))] }) : request;
        expect(rewrite('traces', request).toString('hex')).toBe(expected.toString('hex'));
      }),
    );
  });
});
