// A sidecar's token that speaks for some agents: whose records and whose chains its requests may hold.

import { describe, expect, it } from 'vitest';
import { walkFraming } from '../../../collector/receive/framing.ts';
import { jsonToProtobuf } from '../../../collector/receive/json-to-protobuf.ts';
import { recordsBindingOf } from '../../../collector/receive/records-claims.ts';
import { CHAINS_ATTRIBUTE } from '../../../contract/attributes.ts';
import { chainRangesText } from '../../../contract/chain-ranges.ts';
import { BYTES, ProtobufWriter } from '../../../kit/protobuf.ts';

type Said = Readonly<Record<string, string>>;
const attributes = (said: Said) =>
  Object.entries(said).map(([key, stringValue]) => ({ key, value: { stringValue } }));
const chain = (stream: string): Said => ({
  [CHAINS_ATTRIBUTE]: chainRangesText([{ stream, first: 1, last: 2, head: '00'.repeat(32) }]),
});
const request = (resource: Said, ...spans: readonly Said[]) =>
  jsonToProtobuf(
    'traces',
    Buffer.from(
      JSON.stringify({
        resourceSpans: [
          {
            resource: { attributes: attributes(resource) },
            scopeSpans: [{ spans: spans.map((said) => ({ attributes: attributes(said) })) }],
          },
        ],
      }),
    ),
  );

const binding = recordsBindingOf(['scout', 'pr-*']);
const bind = (bytes: Buffer) => binding('traces', bytes, walkFraming('traces', bytes, 'bound'));

const mine = (agent: string): Said => ({ 'outrider.agent': agent, 'outrider.audit.stream': `${agent}/h/1` });

describe('COL-28 a sidecar’s token for some agents', () => {
  it('takes their records as they are', () => {
    const bytes = request(chain('scout/h/1'), mine('scout'), mine('pr-7'), { said: 'outrider.agent' });
    expect(bind(bytes).request).toBe(bytes);
  });

  it.each([
    ['a record of another', request({}, mine('scout'), mine('writer'))],
    ['a link of another’s chain', request({}, { ...mine('scout'), 'outrider.audit.stream': 'writer/h/1' })],
    ['a stretch of another’s chain', request(chain('writer/h/1'), mine('scout'))],
    ['a stretch in words of its own', request({ [CHAINS_ATTRIBUTE]: 'writer/h/1' }, mine('scout'))],
    ['a name that goes on', request({}, mine('scouts'))],
    ['no name', request({}, mine(''))],
  ])('refuses %s', (_what, bytes) => {
    expect(() => bind(bytes)).toThrow('this token sends records of scout, pr-* alone');
  });

  const span = (write: (writer: ProtobufWriter) => void): Buffer => {
    const writer = new ProtobufWriter(256);
    writer.message(1, () =>
      writer.message(2, () => writer.message(2, () => writer.message(9, () => write(writer)))),
    );
    return writer.finish();
  };
  it.each([
    [
      'under one of two keys',
      span((writer) => {
        writer.string(1, 'outrider.agent');
        writer.string(1, 'harmless');
        writer.message(2, () => writer.string(1, 'writer'));
      }),
    ],
    [
      'before its key',
      span((writer) => {
        writer.message(2, () => writer.string(1, 'writer'));
        writer.string(1, 'outrider.agent');
      }),
    ],
    [
      'under a tag of more bytes than it needs',
      span((writer) => {
        writer.raw(Buffer.of((1 * 8 + BYTES) | 0x80, 0));
        writer.varint(14);
        writer.raw(Buffer.from('outrider.agent'));
        writer.message(2, () => writer.string(1, 'writer'));
      }),
    ],
    [
      'as a number',
      span((writer) => {
        writer.string(1, 'outrider.agent');
        writer.message(2, () => writer.uint(3, 7));
      }),
    ],
  ])('refuses an agent that is written %s', (_how, bytes) => {
    expect(() => bind(bytes)).toThrow('alone');
  });

  it('sends nothing but records', () => {
    const nothing = walkFraming('logs', Buffer.alloc(0), 'bound');
    expect(() => binding('logs', Buffer.alloc(0), nothing)).toThrow('as traces');
  });
});
