// Server-sent events, framed as WHATWG says, from bytes cut anywhere; and what happens when a peer sends nonsense.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readEvents, SSE_LINE_BYTES_MAX } from '../../../sidecar/dialects/sse.ts';

interface Read {
  readonly events: string[];
  readonly passed: string;
  readonly unread: number;
}

function read(
  chunks: readonly Buffer[],
  drop: (data: string) => boolean = () => false,
  mayDrop = false,
): Read {
  const events: string[] = [];
  const reader = readEvents((data) => {
    events.push(data);
    return drop(data);
  }, mayDrop);
  const out = chunks.map((chunk) => reader.push(chunk));
  out.push(reader.end());
  return { events, passed: Buffer.concat(out).toString(), unread: reader.unreadBytes() };
}

const one = (text: string): Read => read([Buffer.from(text)]);

describe('framing (SSE-03)', () => {
  it.each([
    ['data: a\n\n', ['a']],
    ['data:a\n\ndata:  b\n\n', ['a', ' b']],
    ['data: a\r\ndata: b\r\n\r\n', ['a\nb']],
    ['data: a\r\rdata: b\r\r', ['a', 'b']],
    ['data: a\r\n\ndata: b\n\r\n', ['a', 'b']],
    ['\ufeffdata: a\n\n', ['a']],
    ['\ufeff\ndata: a\n\n', ['a']],
    ['data\n\n', ['']],
    ['data:\n\n', ['']],
    ['data: \n\n', ['']],
    ['data\ndata\n\n', ['\n']],
    [': comment\n\ndata: a\n\n', ['a']],
    ['event: x\nid: 1\nretry: 5\ndata: a\n\n', ['a']],
    ['event: only\n\n', []],
    ['datax: a\ndat: b\n Data: c\nDATA: d\n\n', []],
    ['data: open end', ['open end']],
    ['data: a\n\n\n\ndata: b', ['a', 'b']],
    ['', []],
  ])('%j', (text, events) => {
    expect(one(text)).toEqual({ events, passed: text, unread: 0 });
  });
});

describe('any stream, cut anywhere', () => {
  const line = fc.oneof(
    fc.constantFrom('data: x', 'data:', 'data: drop', ': c', 'event: e', '', '', 'data: 🏔️é', 'id', 'drop'),
    fc.string().map((text) => text.replace(/[\r\n]/g, '')),
  );
  const stream = fc
    .array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\r')), { maxLength: 24 })
    .map((lines) => Buffer.from(lines.map(([text, end]) => text + end).join('')));
  const cuts = fc.array(fc.nat({ max: 400 }), { maxLength: 12 });

  const cutAt = (bytes: Buffer, offsets: readonly number[]): Buffer[] => {
    const at = [
      0,
      ...offsets.filter((offset) => offset <= bytes.length).toSorted((a, b) => a - b),
      bytes.length,
    ];
    return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
  };

  it('reads the same events and passes the same bytes', () => {
    fc.assert(
      fc.property(stream, cuts, (bytes, offsets) => {
        for (const mayDrop of [false, true]) {
          const whole = read([bytes], (data) => data === 'drop', mayDrop);
          expect(read(cutAt(bytes, offsets), (data) => data === 'drop', mayDrop)).toEqual(whole);
          if (!mayDrop || !whole.events.includes('drop')) expect(whole.passed).toBe(bytes.toString());
        }
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['data: drop\r\n\r\ndata: b\r\n\r\n', 'data: b\r\n\r\n'],
    ['data: drop\n\n: c\r\n\r\ndata: b\n\n', ': c\r\n\r\ndata: b\n\n'],
    ['data: a\r\n\r\ndata: drop\r\n: c\r\n\r\n\r\n', 'data: a\r\n\r\n: c\r\n\r\n'],
  ])('drops a CRLF with its line: %j', (text, kept) => {
    const bytes = Buffer.from(text);
    for (let at = 0; at <= bytes.length; at++) {
      const halves = [bytes.subarray(0, at), bytes.subarray(at)];
      expect(read(halves, (data) => data === 'drop', true).passed).toBe(kept);
    }
  });

  it('drops nothing but the events it is told to', () => {
    fc.assert(
      fc.property(stream, (bytes) => {
        const whole = read([bytes]);
        const dropped = read([bytes], (data) => data === 'drop', true);
        const kept = whole.events.filter((data) => data !== 'drop');
        expect(read([Buffer.from(dropped.passed)]).events).toEqual(kept);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('what it may hold back', () => {
  it('is nothing when it may not drop: the very same buffer, at once', () => {
    const reader = readEvents(() => true, false);
    for (const text of ['da', 'ta: x\n', '\n', ': c']) {
      const chunk = Buffer.from(text);
      expect(reader.push(chunk)).toBe(chunk);
    }
  });

  it('is only an unfinished event; comments and whole events pass at once', () => {
    const reader = readEvents((data) => data === 'drop', true);
    const push = (text: string) => reader.push(Buffer.from(text)).toString();
    expect(push(': ping\n')).toBe(': ping\n');
    expect(push('\n')).toBe('\n');
    expect(push('data: a\n\n')).toBe('data: a\n\n');
    expect(push('data: b')).toBe('');
    expect(push('\n')).toBe('');
    expect(push('\ndata: dr')).toBe('data: b\n\n');
    expect(push('op\n: kept\n\n')).toBe(': kept\n');
    expect(reader.end().toString()).toBe('');
  });

  it('returns the very same buffer when whole events pass', () => {
    const reader = readEvents(() => false, true);
    const chunk = Buffer.from('data: a\n\n: c\n\ndata: b\n\n');
    expect(reader.push(chunk)).toBe(chunk);
  });
});

describe('a line without end (SSE-10)', () => {
  const piece = Buffer.alloc(64 * 1024, 'x');

  it.each([false, true])('is passed on and no longer read (mayDrop %s)', (mayDrop) => {
    const reader = readEvents(() => true, mayDrop);
    const start = Buffer.from('data: a\n\ndata: ');
    let passed = reader.push(start).length;
    for (let i = 0; i < 100; i++) passed += reader.push(piece).length;
    passed += reader.push(Buffer.from('\n\ndata: b\n\n')).length;
    passed += reader.end().length;
    const dropped = mayDrop ? 'data: a\n\n'.length : 0;
    expect(passed).toBe(start.length - dropped + 100 * piece.length + '\n\ndata: b\n\n'.length);
    expect(reader.unreadBytes()).toBeGreaterThanOrEqual(100 * piece.length);
  });

  it('also when an event has many lines', () => {
    const text = `${`data: ${'y'.repeat(1000)}\n`.repeat(1100)}\ndata: z\n\n`;
    for (const mayDrop of [false, true]) {
      const result = read([Buffer.from(text)], () => true, mayDrop);
      expect(result.unread).toBeGreaterThan(SSE_LINE_BYTES_MAX);
      expect(result.events).toEqual([]);
      if (mayDrop) expect(result.passed).toBe(text);
    }
  });

  it('takes a line just within the limit', () => {
    const data = 'z'.repeat(SSE_LINE_BYTES_MAX - 6);
    expect(one(`data: ${data}\n\n`).events).toEqual([data]);
  });

  it('costs no more than its bytes when they come one by one (SSE-12)', () => {
    const reader = readEvents(() => false, true);
    let passed = 0;
    const byte = Buffer.from('x');
    for (let i = 0; i < 1_200_000; i++) passed += reader.push(byte).length;
    expect(passed).toBe(1_200_000);
  });
});
