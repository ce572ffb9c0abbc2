// Checks the frames of a WebSocket as they pass, one direction each: only bytes of frames that are well-formed go on, so
// that neither side's reader is led astray. Nothing is unmasked and nothing is copied but a head that came in pieces.
// Source: RFC 6455 §§ 5.2, 5.4, 5.5, 7.4.1.
//
//   FIN RSV×3 opcode | MASK length | length, 2 or 8 bytes | masking key, 4 bytes | payload

/** What is wrong with a frame, as a status to close with: 1002 for the protocol, 1009 for the size. */
export class FrameError extends Error {
  override name = 'FrameError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface FrameChecker {
  /** The bytes that may pass on now. Throws FrameError, from then on nothing may. */
  push(chunk: Buffer): Buffer;
  /** Whether every frame that began has passed whole. */
  readonly between: boolean;
}

const CONTINUATION = 0;
const DATA_OPCODES = new Set([CONTINUATION, 1, 2]);
const CONTROL_OPCODES = new Set([8, 9, 10]);
const CONTROL_BYTES_MAX = 125;
const NOTHING = Buffer.alloc(0);

/** `masked`: whether this side's frames must be (an agent's) or must not be (an upstream's). */
export function frameChecker(options: { masked: boolean; messageBytesMax: number }): FrameChecker {
  let head: Buffer = NOTHING;
  let payloadLeft = 0;
  let messageBytes = 0;
  let inMessage = false;

  /** A data frame's place in its message. */
  const count = ({ opcode, final, length }: FrameHead): void => {
    if ((opcode === CONTINUATION) !== inMessage) throw new FrameError(1002, 'a fragment out of its order');
    messageBytes = (inMessage ? messageBytes : 0) + length;
    if (messageBytes > options.messageBytesMax)
      throw new FrameError(1009, `a message of more than ${options.messageBytesMax} bytes`);
    inMessage = !final;
  };

  return {
    push(chunk) {
      const bytes = head.length > 0 ? Buffer.concat([head, chunk]) : chunk;
      head = NOTHING;
      let at = 0;
      while (at < bytes.length) {
        if (payloadLeft > 0) {
          const here = Math.min(payloadLeft, bytes.length - at);
          payloadLeft -= here;
          at += here;
          continue;
        }
        const frame = readHead(bytes, at, options.masked);
        if (frame === null) break;
        if (!CONTROL_OPCODES.has(frame.opcode)) count(frame);
        payloadLeft = frame.length;
        at += frame.headBytes;
      }
      if (at < bytes.length) head = Buffer.from(bytes.subarray(at));
      return bytes.subarray(0, at);
    },
    get between() {
      return payloadLeft === 0 && head.length === 0;
    },
  };
}

interface FrameHead {
  readonly opcode: number;
  readonly final: boolean;
  /** Of the payload, in bytes. */
  readonly length: number;
  readonly headBytes: number;
}

/** Null while the head is not whole. Throws FrameError at the first byte that is wrong. */
function readHead(bytes: Buffer, at: number, masked: boolean): FrameHead | null {
  const first = bytes[at]!;
  const opcode = first & 0x0f;
  const final = (first & 0x80) !== 0;
  const control = CONTROL_OPCODES.has(opcode);
  if ((first & 0x70) !== 0) throw new FrameError(1002, 'a reserved bit, though no extension was agreed on');
  if (!control && !DATA_OPCODES.has(opcode)) throw new FrameError(1002, `opcode ${opcode}`);
  if (control && !final) throw new FrameError(1002, 'a control frame in fragments');
  const second = bytes[at + 1];
  if (second === undefined) return null;
  if (((second & 0x80) !== 0) !== masked) throw new FrameError(1002, masked ? 'no mask' : 'a mask');
  const short = second & 0x7f;
  if (control && short > CONTROL_BYTES_MAX) throw new FrameError(1002, 'a control frame too long');
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
  const headBytes = 2 + lengthBytes + (masked ? 4 : 0);
  if (bytes.length < at + 2 + lengthBytes) return null;
  const length = lengthBytes === 0 ? short : readLength(bytes, at + 2, lengthBytes);
  return bytes.length < at + headBytes ? null : { opcode, final, length, headBytes };
}

/** The shortest form alone is allowed, and of 64 bits only 63. */
function readLength(bytes: Buffer, at: number, size: 2 | 8): number {
  const length = size === 2 ? BigInt(bytes.readUInt16BE(at)) : bytes.readBigUInt64BE(at);
  if (length >> 63n) throw new FrameError(1002, 'a length of 64 bits');
  if (length < (size === 2 ? 126n : 65_536n)) throw new FrameError(1002, 'a length written too long');
  if (length > BigInt(Number.MAX_SAFE_INTEGER)) throw new FrameError(1009, 'a frame beyond all measure');
  return Number(length);
}

/** A whole frame as a server closes with (RFC 6455 § 5.5.1). */
export function closeFrame(status: number): Buffer {
  const frame = Buffer.from([0x88, 2, 0, 0]);
  frame.writeUInt16BE(status, 2);
  return frame;
}
