// Server-sent events as WHATWG HTML § 9.2 frames them (LF, CRLF or CR; BOM; comments; multi-line data), read from bytes
// split anywhere. Bytes pass through untouched and at once; only when a consumer may drop events do the bytes of an
// unfinished one wait until it is complete.
//
//   ": ping\n\n"   passes      "data: {…}\n\n"   passes      "data: {only usage}\n\n"   taken out, if so judged

export const SSE_LINE_BYTES_MAX = 1024 * 1024;

export interface EventReader {
  /** Takes bytes; returns what may go on: the very same buffer unless an event was held or dropped. */
  push(chunk: Buffer): Buffer;
  /** The end of the stream: an event without its blank line is taken too (providers and clients both allow it). */
  end(): Buffer;
  /** Bytes that were returned since the last event ended; infinite while a CR may have its LF yet to come. */
  unfinishedBytes(): number;
  /** Bytes that could not be read because a line or an event was too long; 0 while all is well. */
  unreadBytes(): number;
}

const LF = 10;
const CR = 13;
const COLON = 58;
const SPACE = 32;
/** Pieces of one unfinished line are joined now and then, so that a peer sending single bytes costs no memory. */
const PIECES_MAX = 1024;
const NOTHING = Buffer.alloc(0);
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);
const DATA = Buffer.from('data');

interface HeldLine {
  readonly bytes: Buffer;
  readonly comment: boolean;
}

/**
 * `take` gets each event's data and answers whether to drop the event's bytes; that is obeyed only with `mayDrop`.
 * Comments inside a dropped event still pass.
 */
export function readEvents(take: (data: string) => boolean, mayDrop: boolean): EventReader {
  let line: Buffer[] = [];
  let lineBytes = 0;
  let data: string | null = null;
  let afterCr = false;
  let atStart = true;
  let unread = 0;
  let sinceEvent = 0;
  let held: HeldLine[] = [];
  let lastDropped = false;
  let droppedHere = false;
  let passing: Buffer[] = [];

  function push(chunk: Buffer): Buffer {
    if (unread > 0) {
      unread += chunk.length;
      return chunk;
    }
    const untouched = held.length === 0 && lineBytes === 0;
    passing = [];
    droppedHere = false;
    sinceEvent += chunk.length;
    readLines(chunk);
    const waiting = held.length > 0 || lineBytes > 0;
    if (!mayDrop || (untouched && !droppedHere && !waiting)) return chunk;
    return joined(passing);
  }

  function readLines(chunk: Buffer): void {
    let start = takeLateLf(chunk);
    let lf = chunk.indexOf(LF, start);
    let cr = chunk.indexOf(CR, start);
    while (lf !== -1 || cr !== -1) {
      const at = cr === -1 || (lf !== -1 && lf < cr) ? lf : cr;
      const next = at === cr && chunk[at + 1] === LF ? at + 2 : at + 1;
      afterCr = at === cr && next === at + 1 && next === chunk.length;
      if (takeLine(chunk, start, at, next)) sinceEvent = chunk.length - next;
      start = next;
      if (unread > 0) {
        unread += chunk.length - start;
        passing.push(chunk.subarray(start));
        return;
      }
      if (lf !== -1 && lf < start) lf = chunk.indexOf(LF, start);
      if (cr !== -1 && cr < start) cr = chunk.indexOf(CR, start);
    }
    if (start < chunk.length) keepUnfinished(chunk.subarray(start));
  }

  /** The LF of a CRLF whose CR came with the chunk before goes where that line went. Returns where lines begin. */
  function takeLateLf(chunk: Buffer): number {
    if (!afterCr || chunk.length === 0) return 0;
    afterCr = false;
    if (chunk[0] !== LF) return 0;
    const lf = chunk.subarray(0, 1);
    if (sinceEvent === chunk.length) sinceEvent -= 1;
    if (held.length > 0) held.push({ bytes: lf, comment: held.at(-1)!.comment });
    else if (lastDropped) droppedHere = true;
    else passing.push(lf);
    return 1;
  }

  function keepUnfinished(piece: Buffer): void {
    line.push(piece);
    lineBytes += piece.length;
    if (line.length >= PIECES_MAX) line = [Buffer.concat(line, lineBytes)];
    if (lineBytes > SSE_LINE_BYTES_MAX) giveUp(lineBytes);
  }

  /** One line: what waits, then chunk[start, at); its terminator ends at `next`. True when it ends an event. */
  function takeLine(chunk: Buffer, start: number, at: number, next: number): boolean {
    let content = chunk.subarray(start, at);
    let raw = chunk.subarray(start, next);
    if (lineBytes > 0) {
      content = Buffer.concat([...line, content]);
      raw = Buffer.concat([...line, raw]);
      line = [];
      lineBytes = 0;
    }
    if (atStart && content.subarray(0, 3).equals(BOM)) content = content.subarray(3);
    atStart = false;
    if (content.length === 0) closeEvent(raw);
    else takeField(content, raw);
    return content.length === 0;
  }

  function takeField(content: Buffer, raw: Buffer): void {
    hold(raw, content[0] === COLON);
    if (!isDataField(content)) return;
    const text = content.toString('utf8', content[5] === SPACE ? 6 : Math.min(5, content.length));
    const event = data === null ? text : `${data}\n${text}`;
    data = event;
    if (event.length > SSE_LINE_BYTES_MAX) giveUp(Buffer.byteLength(event));
  }

  function closeEvent(raw: Buffer): void {
    const drop = data !== null && take(data) && mayDrop;
    data = null;
    if (!mayDrop) return;
    lastDropped = drop;
    if (drop) droppedHere = true;
    hold(raw, false);
    for (const { bytes, comment } of held) if (!drop || comment) passing.push(bytes);
    held = [];
  }

  /** A comment outside an event passes at once; anything else waits for its event to end. */
  function hold(bytes: Buffer, comment: boolean): void {
    if (!mayDrop) return;
    if (comment && held.length === 0) {
      lastDropped = false;
      passing.push(bytes);
    } else held.push({ bytes, comment });
  }

  function giveUp(bytes: number): void {
    unread = bytes;
    for (const piece of held) passing.push(piece.bytes);
    passing.push(...line);
    held = [];
    line = [];
    lineBytes = 0;
    data = null;
  }

  function end(): Buffer {
    if (unread > 0) return NOTHING;
    passing = [];
    droppedHere = false;
    if (lineBytes > 0) takeLine(NOTHING, 0, 0, 0);
    if (unread === 0) closeEvent(NOTHING);
    return mayDrop ? joined(passing) : NOTHING;
  }

  return {
    push,
    end,
    unfinishedBytes: () => (mayDrop ? 0 : afterCr ? Number.POSITIVE_INFINITY : sinceEvent),
    unreadBytes: () => unread,
  };
}

function isDataField(content: Buffer): boolean {
  if (content.length < 4 || content.compare(DATA, 0, 4, 0, 4) !== 0) return false;
  return content.length === 4 || content[4] === COLON;
}

const joined = (parts: readonly Buffer[]): Buffer =>
  parts.length === 1 ? parts[0]! : parts.length === 0 ? NOTHING : Buffer.concat(parts);

export const isEventStream = (contentType: string): boolean => /^text\/event-stream\b/i.test(contentType);
