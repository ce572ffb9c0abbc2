// Native for clients that name their protocol version, as Go's driver and Grafana's data source do: the very bytes that
// others get, with a block's info before each block and a byte after each column's type.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type OpenedStore, openTestStore } from '../open.ts';

const BLOCK_INFO = '010002ffffffff00';
let opened: OpenedStore;
beforeAll(async () => {
  opened = await openTestStore();
});
afterAll(() => opened.close());

async function native(statement: string, revision?: number): Promise<Buffer> {
  const version = revision === undefined ? '' : `&client_protocol_version=${revision}`;
  const answer = await fetch(`${opened.store.sqlUrl}/?default_format=Native${version}`, {
    method: 'POST',
    body: statement,
  });
  const bytes = Buffer.from(await answer.arrayBuffer());
  if (!answer.ok) throw new Error(bytes.toString());
  return bytes;
}

test('what a driver asks first is answered as it reads it', async () => {
  const answer = (await native("SELECT 7::UInt8 AS a, 'x' AS b", 54_460)).toString('hex');
  const [columns, rows] = ['02', '01'];
  const a = `0161${'05'}${Buffer.from('UInt8').toString('hex')}0007`;
  const b = `0162${'06'}${Buffer.from('String').toString('hex')}000178`;
  expect(answer).toBe(BLOCK_INFO + columns + rows + a + b);
});

test.each([
  [
    'numbers',
    'SELECT 1::UInt8, -2::Int16, 3.5::Float64, 4::UInt256, 1.25::Decimal(9, 2), 1.25::Decimal(38, 9)',
    6,
  ],
  [
    'times',
    "SELECT toDateTime('2026-01-02 03:04:05'), toDateTime64('2026-01-02 03:04:05.678', 3), toDate('2026-01-02'), toDate32('2026-01-02'), INTERVAL 1 DAY, toDateTime('2026-01-02 03:04:05', 'UTC')",
    6,
  ],
  [
    'texts',
    "SELECT 'a', toFixedString('abc', 3), toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0'), toIPv4('1.2.3.4'), toIPv6('::1')",
    5,
  ],
  ['enums', "SELECT CAST('b, (', 'Enum8(\\'a\\' = 1, \\'b, (\\' = 2)')", 1],
  ['nulls', "SELECT NULL, toNullable('a'), CAST(NULL, 'Nullable(UInt64)')", 3],
  ['arrays and maps', "SELECT [[1, 2], []], map('a', [1], 'b', []), [], [toNullable(1), NULL]", 4],
  ['tuples', "SELECT tuple(1, 'a'), CAST(tuple(1, 'a'), 'Tuple(n UInt8, `odd name` String)')", 2],
  [
    'dictionaries',
    "SELECT toLowCardinality('a'), toLowCardinality(toNullable('b')), [toLowCardinality('c')]",
    3,
  ],
  ['a table of all kinds', 'SELECT * FROM otel_traces', 0],
])('%s: nothing but the marks is added', async (_, statement, columns) => {
  const plain = await native(statement);
  const [marked, informed] = [await native(statement, 54_460), await native(statement, 54_400)];
  const blocks = plain.length === 0 ? 0 : 1;
  expect(informed.length).toBe(plain.length + 8 * blocks);
  expect(informed.subarray(8 * blocks).equals(plain)).toBe(true);
  if (columns > 0) expect(marked.length).toBe(plain.length + 8 + columns);
});

test('many blocks are each marked', async () => {
  const statement = 'SELECT number, toString(number) FROM numbers(200000)';
  const [plain, marked] = [await native(statement), await native(statement, 54_460)];
  const blocks = (marked.length - plain.length) / (8 + 2);
  expect(Number.isInteger(blocks)).toBe(true);
  expect(blocks).toBeGreaterThan(1);
});

test('what cannot be walked is refused in words', async () => {
  await expect(native('SELECT sumState(1)', 54_460)).rejects.toThrow('-Merge function');
});
