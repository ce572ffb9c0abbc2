// The table of fields as the inner loop of the framing walk wants it: arrays by number instead of records by name.

import { BYTES, VARINT } from '../../kit/protobuf.ts';
import { isScalar, MESSAGES, type Message, type Scalar, WIRE_TYPES } from './otlp-fields.ts';
import { FIELDS, listLevelsIn } from './otlp-shape.ts';

export const FIELD_MAX = 31;
export const UNKNOWN = -1;

// What is to be looked at beyond the wire type. Numbers that the database keeps in 32 bits or in one:
export const BOOL = 6;
export const INT32 = 7;
export const UINT32 = 8;
// Lists of numbers, packed:
export const PACKED_FIXED64 = 9;
export const PACKED_VARINT = 10;
/** NESTED + a message. */
export const NESTED = 16;

const CODES: Readonly<Partial<Record<Scalar, number>>> = {
  bool: BOOL,
  enum: INT32,
  uint32: UINT32,
  sint32: UINT32, // zigzag: as many bits
  doubles: PACKED_FIXED64,
  fixed64s: PACKED_FIXED64,
  uint64s: PACKED_VARINT,
};

/** For each message, by field number: a wire type, one of the codes above, or UNKNOWN. */
export const SHAPES = MESSAGES.map((message) => {
  const shape = new Int8Array(FIELD_MAX + 1).fill(UNKNOWN);
  for (const { number, kind } of FIELDS[message])
    shape[number] = isScalar(kind) ? (CODES[kind] ?? WIRE_TYPES[kind]) : NESTED + MESSAGES.indexOf(kind);
  return shape;
});

/** The wire type of what SHAPES says. */
export const WIRES = Int8Array.from({ length: NESTED + MESSAGES.length }, (_, code) => {
  if (code >= PACKED_FIXED64) return BYTES;
  return code >= BOOL ? VARINT : code;
});

export const SPAN = MESSAGES.indexOf('span');
export const RESOURCE = MESSAGES.indexOf('resource');

const marks = (is: (message: Message) => boolean): Uint8Array =>
  Uint8Array.from(MESSAGES, (message) => Number(is(message)));

export const IS_REQUEST = marks((message) => ['traces', 'logs', 'metrics'].includes(message));
export const IS_ITEM = marks(
  (message) => ['span', 'logRecord'].includes(message) || message.endsWith('DataPoint'),
);

/** What holds values in a value. */
export const IS_LIST = marks((message) => message === 'arrayValue' || message === 'keyValueList');
/** Messages in whose values the database reads no list. */
export const IS_WITHOUT_LISTS = marks((message) => listLevelsIn(message) === 0);

const METRIC_DATA = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'];

/** Messages whose own fields the database repeats beside each item that is somewhere in them. */
export const IS_SHARED = marks(
  (message) => /^(resource|scope)(Spans|Logs|Metrics)$/.test(message) || message === 'metric',
);
/** What of a shared message is not repeated: the way down to its items. */
export const LEADS_TO_ITEMS = marks(
  (message) =>
    /^scope(Spans|Logs|Metrics)$/.test(message) ||
    ['span', 'logRecord', 'metric', ...METRIC_DATA].includes(message),
);

/** By message, a bit for each field of which the database takes one in all: the arms of a value, and what holds a value. */
export const ONE_VALUE = Int32Array.from(MESSAGES, (message) => {
  const isValue = ({ kind, repeated }: (typeof FIELDS)[Message][number]) =>
    message === 'anyValue' || (kind === 'anyValue' && !repeated);
  return FIELDS[message].filter(isValue).reduce((bits, { number }) => bits | (1 << number), 0);
});
