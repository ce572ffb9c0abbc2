// A stream of server-sent events in which the data of some events is written anew, or taken out. Every event passes as soon
// as its blank line has come, byte for byte where nothing changed; of a changed one the other fields stay (`id`, `event`).

import type { Rewriter } from './dialect.ts';
import { REWRITTEN_BYTES_MAX } from './rewrite-whole.ts';

const LF = 10;
const CR = 13;
const NOTHING = Buffer.alloc(0);

/**
 * `change` gets an event's data and returns the very same buffer where nothing is to be changed, null where the event is
 * to go; what it throws ends the stream. `push` throws for an event beyond 8 MB.
 */
export function rewriteEvents(change: (data: Buffer) => Buffer | null): Rewriter {
  let waiting: Buffer = NOTHING;
  return {
    push(chunk) {
      waiting = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk]);
      const passing: Buffer[] = [];
      for (let end = eventEnd(waiting); end > 0; end = eventEnd(waiting)) {
        passing.push(rewritten(waiting.subarray(0, end), change));
        waiting = waiting.subarray(end);
      }
      if (waiting.length > REWRITTEN_BYTES_MAX)
        throw new Error(`An event to rewrite is larger than ${REWRITTEN_BYTES_MAX} bytes.`);
      return Buffer.concat(passing);
    },
    flush: () => (waiting.length === 0 ? NOTHING : rewritten(waiting, change)),
  };
}

interface Line {
  readonly text: Buffer;
  /** With its terminator. */
  readonly raw: Buffer;
}

/** Index after the first blank line; 0 while there is none. A closing CR waits, for an LF may follow it. */
function eventEnd(bytes: Buffer): number {
  let from = 0;
  for (let end = lineEnd(bytes, from); end > 0; end = lineEnd(bytes, from)) {
    if (isTerminator(bytes[from])) return end;
    from = end;
  }
  return 0;
}

/** Index after the line that begins at `from`, its terminator included; 0 where it is not whole yet. */
function lineEnd(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length && !isTerminator(bytes[at])) at += 1;
  if (at >= bytes.length || (bytes[at] === CR && at + 1 === bytes.length)) return 0;
  return bytes[at] === CR && bytes[at + 1] === LF ? at + 2 : at + 1;
}

const isTerminator = (byte: number | undefined): boolean => byte === LF || byte === CR;

function rewritten(event: Buffer, change: (data: Buffer) => Buffer | null): Buffer {
  const lines = linesOf(event);
  const data = lines.filter(({ text }) => isData(text));
  if (data.length === 0) return event;
  const before = Buffer.from(data.map(({ text }) => dataOf(text)).join('\n'));
  const after = change(before);
  if (after === null) return NOTHING;
  if (after === before) return event;
  const others = lines.filter(({ text }) => text.length > 0 && !isData(text)).map(({ raw }) => raw);
  const written = after
    .toString()
    .split('\n')
    .map((line) => `data: ${line}\n`);
  return Buffer.concat([...others, Buffer.from(`${written.join('')}\n`)]);
}

function linesOf(event: Buffer): Line[] {
  const lines: Line[] = [];
  for (let from = 0; from < event.length; ) {
    const end = lineEnd(event, from) || event.length;
    let textEnd = end;
    while (textEnd > from && isTerminator(event[textEnd - 1])) textEnd -= 1;
    lines.push({ text: event.subarray(from, textEnd), raw: event.subarray(from, end) });
    from = end;
  }
  return lines;
}

const isData = (line: Buffer): boolean => /^data(?::|$)/.test(line.toString('latin1', 0, 5));

const dataOf = (line: Buffer): string => line.toString('utf8', line[5] === 0x20 ? 6 : 5);
