// ClickHouse's Native format, as clients of the protocol expect it. A client that names its protocol version (Go's driver,
// and with it Grafana's data source, always does) reads two things that chDB, which knows no client, leaves out: a block's
// info before it, and after each column's type whether its serialisation is a custom one. To know where a column ends, its
// type says how long its values are. Source: ClickHouse src/Formats/NativeReader.cpp; clickhouse-go lib/proto/block.go.

import { StatementFailure } from './engine.ts';

/** From this protocol revision on, a byte after each column's type says whether its serialisation is custom. */
const CUSTOM_SERIALIZATION_REVISION = 54_454;
/** Field 1: no overflow rows; field 2: bucket −1; field 0: the end. */
const BLOCK_INFO = Buffer.from([1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0]);
const PLAIN = Buffer.from([0]);
const UNKNOWN_TYPE = 50;

/** The same blocks, as a client of that protocol revision reads them. Throws StatementFailure for a type it can't walk. */
export function nativeFor(revision: number, blocks: Uint8Array): Buffer {
  const reader = createReader(Buffer.from(blocks.buffer, blocks.byteOffset, blocks.byteLength));
  const parts: Buffer[] = [];
  while (!reader.isAtEnd()) {
    parts.push(BLOCK_INFO);
    const start = reader.at();
    const columns = reader.varint();
    const rows = reader.varint();
    parts.push(reader.since(start));
    for (let i = 0; i < columns; i++) {
      const from = reader.at();
      reader.skip(reader.varint());
      const type = reader.text();
      parts.push(reader.since(from));
      if (revision >= CUSTOM_SERIALIZATION_REVISION) parts.push(PLAIN);
      const values = reader.at();
      if (rows > 0) skipPrefix(reader, type);
      skipValues(reader, type, rows);
      parts.push(reader.since(values));
    }
  }
  return Buffer.concat(parts);
}

type Reader = ReturnType<typeof createReader>;

function createReader(bytes: Buffer) {
  let at = 0;
  const reader = {
    at: () => at,
    isAtEnd: () => at >= bytes.length,
    since: (from: number) => bytes.subarray(from, at),
    skip(count: number) {
      at += count;
      if (at > bytes.length) throw new RangeError('a block of the Native format ends too early');
    },
    varint() {
      let value = 0;
      for (let scale = 1; ; scale *= 128) {
        const byte = bytes.readUInt8(at++);
        value += (byte & 127) * scale;
        if (byte < 128) return value;
      }
    },
    text() {
      const length = reader.varint();
      reader.skip(length);
      return bytes.toString('utf8', at - length, at);
    },
    uint64() {
      reader.skip(8);
      return Number(bytes.readBigUInt64LE(at - 8));
    },
  };
  return reader;
}

const WIDTHS: Readonly<Record<string, number>> = {
  ...of(1, ['UInt8', 'Int8', 'Bool', 'Enum8', 'Nothing']),
  ...of(2, ['UInt16', 'Int16', 'Date', 'Enum16', 'BFloat16']),
  ...of(4, ['UInt32', 'Int32', 'Float32', 'Date32', 'DateTime', 'IPv4', 'Decimal32', 'Time']),
  ...of(8, ['UInt64', 'Int64', 'Float64', 'DateTime64', 'Decimal64', 'Time64']),
  ...of(16, ['UInt128', 'Int128', 'UUID', 'IPv6', 'Decimal128']),
  ...of(32, ['UInt256', 'Int256', 'Decimal256']),
};

function of(width: number, types: readonly string[]): Record<string, number> {
  return Object.fromEntries(types.map((type) => [type, width]));
}

/** Before a column's values stands the version of each dictionary within it. */
function skipPrefix(reader: Reader, type: string): void {
  const { name, args } = parseType(type);
  if (name === 'LowCardinality') return reader.skip(8);
  if (['Nullable', 'Array', 'Map', 'Tuple'].includes(name))
    for (const part of args) skipPrefix(reader, unnamed(part));
  if (name === 'SimpleAggregateFunction') skipPrefix(reader, args[1]!);
}

function skipValues(reader: Reader, type: string, rows: number): void {
  if (rows === 0) return;
  const { name, args } = parseType(type);
  const width = widthOf(name, args);
  if (width !== null) return reader.skip(width * rows);
  switch (name) {
    case 'String':
      for (let i = 0; i < rows; i++) reader.skip(reader.varint());
      return;
    case 'Nullable':
      reader.skip(rows);
      return skipValues(reader, args[0]!, rows);
    case 'Array':
      return skipValues(reader, args[0]!, skipOffsets(reader, rows));
    case 'Map': {
      const entries = skipOffsets(reader, rows);
      for (const part of args) skipValues(reader, part, entries);
      return;
    }
    case 'Tuple':
      for (const part of args) skipValues(reader, unnamed(part), rows);
      return;
    case 'LowCardinality':
      return skipDictionary(reader, args[0]!);
    case 'SimpleAggregateFunction':
      return skipValues(reader, args[1]!, rows);
    default:
      throw new StatementFailure(
        UNKNOWN_TYPE,
        `Code: ${UNKNOWN_TYPE}. DB::Exception: A column of type ${type} can't be sent in the Native format here; ` +
          'turn it into a plain type, e.g. with toString() or a -Merge function. (UNKNOWN_TYPE)',
      );
  }
}

/** How wide the indexes are, the keys, then one index a row. A null is a key like others. */
function skipDictionary(reader: Reader, type: string): void {
  const indexWidth = 2 ** (reader.uint64() % 256);
  const { name, args } = parseType(type);
  skipValues(reader, name === 'Nullable' ? args[0]! : type, reader.uint64());
  reader.skip(reader.uint64() * indexWidth);
}

/** Ends of the arrays, one a row; the last is how many values there are in all. */
function skipOffsets(reader: Reader, rows: number): number {
  reader.skip(8 * (rows - 1));
  return reader.uint64();
}

function widthOf(name: string, args: readonly string[]): number | null {
  if (name === 'FixedString') return Number(args[0]);
  if (name.startsWith('Interval')) return 8;
  if (name !== 'Decimal') return WIDTHS[name] ?? null;
  const digits = Number(args[0]);
  return digits <= 9 ? 4 : digits <= 18 ? 8 : digits <= 38 ? 16 : 32;
}

/** `Map(String, Array(UInt8))` → Map, of String and Array(UInt8). */
function parseType(type: string): { name: string; args: string[] } {
  const open = type.indexOf('(');
  if (open < 0) return { name: type, args: [] };
  return { name: type.slice(0, open), args: cutAt(',', type.slice(open + 1, -1)) };
}

/** An element of a named tuple without its name. */
function unnamed(element: string): string {
  return cutAt(' ', element).at(-1)!;
}

/** Cuts where the sign stands outside brackets and quotes. */
function cutAt(sign: string, text: string): string[] {
  const parts = [''];
  let depth = 0;
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (quote !== '') {
      if (character === '\\') parts[parts.length - 1] += text[i++]!;
      else if (character === quote) quote = '';
    } else if (character === "'" || character === '`') quote = character;
    else if (character === '(') depth += 1;
    else if (character === ')') depth -= 1;
    if (depth === 0 && quote === '' && character === sign) parts.push('');
    else parts[parts.length - 1] += text[i]!;
  }
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}
