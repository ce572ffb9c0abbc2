// A streamed answer as Google sends it unless asked for events: one JSON array that grows by an element at a time. Each
// element is read when its last byte is there; no byte is looked at twice, and none is held back.
//
//   [{…}        ,\r\n{…}        ]
//    └ element   └ separator     └ the end

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;

export const ELEMENT_BYTES_MAX = 1024 * 1024;
const ROOM_AT_FIRST = 4 * 1024;

export interface ArrayReader {
  push(chunk: Buffer): void;
  /** Bytes of elements that were too long to be read. */
  unreadBytes(): number;
  /** Bytes that have passed of an element whose end has not. */
  unfinishedBytes(): number;
  /** What must stand here, between two elements, for another one to follow and for the array to end behind it. */
  around(): { readonly before: string; readonly after: string };
}

/** `take` gets the text of each element that is an object or an array; a bare number or string is nobody's answer. */
export function readArray(take: (element: string) => void): ArrayReader {
  let depth = 0;
  let opened = false;
  let inString = false;
  let escaped = false;
  let needsComma = false;
  let unread = 0;
  let element = collect();

  /** Where in its chunk the present element begins; beyond the chunk's end while there is none. */
  let from = 0;

  function push(chunk: Buffer): void {
    from = depth > 1 ? 0 : chunk.length;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (inString) passString(byte);
      else if (byte === QUOTE) inString = true;
      else if (byte === COMMA && depth === 1) needsComma = false;
      else if (opens(byte)) open(at);
      else if (closes(byte)) close(chunk, at);
    }
    element.add(chunk.subarray(from));
  }

  function passString(byte: number): void {
    if (escaped) escaped = false;
    else if (byte === BACKSLASH) escaped = true;
    else if (byte === QUOTE) inString = false;
  }

  function open(at: number): void {
    depth += 1;
    opened = true;
    if (depth === 2) from = at;
  }

  function close(chunk: Buffer, at: number): void {
    depth = Math.max(0, depth - 1);
    if (depth !== 1) return;
    element.add(chunk.subarray(from, at + 1));
    if (element.length() > ELEMENT_BYTES_MAX) unread += element.length();
    else take(element.text());
    element = collect(element);
    from = chunk.length;
    needsComma = true;
  }

  return {
    push,
    unreadBytes: () => unread + (element.length() > ELEMENT_BYTES_MAX ? element.length() : 0),
    unfinishedBytes: () => element.length(),
    around() {
      if (opened && depth === 0) return { before: '', after: '' };
      return { before: opened ? (needsComma ? ',\r\n' : '') : '[', after: '\r\n]' };
    },
  };
}

const opens = (byte: number): boolean => byte === 0x7b || byte === 0x5b;
const closes = (byte: number): boolean => byte === 0x7d || byte === 0x5d;

interface Collected {
  add(bytes: Buffer): void;
  text(): string;
  /** Of all that was added, kept or not. */
  length(): number;
  readonly room: () => Buffer<ArrayBuffer>;
}

/** Bytes in one piece. Room doubles, so that a peer sending single bytes costs no more than one sending all at once. */
function collect(earlier?: Collected): Collected {
  let room = earlier?.room() ?? Buffer.allocUnsafe(0);
  let length = 0;
  return {
    add(bytes) {
      const from = length;
      length += bytes.length;
      if (length > ELEMENT_BYTES_MAX) return;
      if (length > room.length) {
        const larger = Buffer.allocUnsafe(Math.max(length, 2 * room.length, ROOM_AT_FIRST));
        room.copy(larger, 0, 0, from);
        room = larger;
      }
      bytes.copy(room, from);
    },
    text: () => room.toString('utf8', 0, length),
    length: () => length,
    room: () => room,
  };
}
