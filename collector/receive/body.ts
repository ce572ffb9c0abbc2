// A request's body, whole, never larger than the limit: neither as it comes nor unpacked. What is in memory is held of a
// budget, from the first byte until the bytes are stored; who finds it spent waits, unread, so that TCP slows the sender
// down, and after a while is asked to come back. Who announces much is given room for it once the beginning is there, and
// must keep up with what it announced: else a few who dribble would hold all of the budget.

import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Clock } from '../../kit/clock.ts';
import { type Budget, createBudget, type Hold } from './budget.ts';
import { createPace, type Pace } from './pace.ts';
import { Unacceptable } from './unacceptable.ts';

export interface BodyReader {
  /**
   * Reads the body and holds its memory until `use` has settled. Throws Unacceptable: 413 too large, 400 not gzip or cut
   * short, 503 no memory, or not complete in time.
   */
  whole<T>(request: IncomingMessage, use: (body: Buffer) => Promise<T>): Promise<T>;
}

export interface BodyRules {
  readonly bodyBytesMax: number;
  readonly bodyMsMax: number;
  /** Bytes, shared with whoever else takes requests. */
  readonly memory: Budget;
  readonly clock: Clock;
}

/**
 * What a body is counted as until so much of it is there, and the steps in which one of unknown length grows. All
 * connections together begin so within half of the budget: the other half is for those who go on.
 */
const STEP_BYTES = 64 * 1024;
/** At most so many are unpacked at once; each may grow to the limit before it is refused. */
const UNPACKING_MAX = 2;
/** How long one waits to be unpacked. */
const UNPACKING_WAIT_MS = 3_000;
const UNPACK_CHUNK_BYTES = 64 * 1024;
/** Deflate can make no more of a byte: zlib's own technical details name 1032:1. */
const INFLATION_MAX = 1_032;

const unpack = promisify(gunzip);

export function createBodyReader({ bodyBytesMax, bodyMsMax, memory, clock }: BodyRules): BodyReader {
  const tooLarge = () => new Unacceptable(413, `a request may hold ${bodyBytesMax} bytes, also unpacked`);
  const tooSlow = () => new Unacceptable(503, `the body was not complete within ${bodyMsMax / 1000} s`);
  const unpacking = createBudget({
    unitsMax: UNPACKING_MAX,
    waitMs: UNPACKING_WAIT_MS,
    clock,
    refusal: () => new Unacceptable(503, 'too many compressed requests at once: try again'),
  });

  const receiveChunked = async (request: IncomingMessage, hold: Hold): Promise<Buffer> => {
    const chunks: Buffer[] = [];
    let length = 0;
    let counted = STEP_BYTES;
    for await (const chunk of chunksOf(request)) {
      length += chunk.length;
      if (length > bodyBytesMax) throw tooLarge();
      if (length > counted) {
        counted = Math.ceil(length / STEP_BYTES) * STEP_BYTES;
        await hold.resize(counted);
      }
      chunks.push(chunk);
    }
    await hold.resize(2 * length); // until the parts are gone
    const body = Buffer.concat(chunks, length);
    await hold.resize(length);
    return body;
  };

  const unpacked = (packed: Buffer, hold: Hold): Promise<Buffer> =>
    unpacking.during(1, async () => {
      await hold.resize(packed.length + 2 * Math.min(bodyBytesMax, packed.length * INFLATION_MAX));
      const body = await unpackWithin(packed, bodyBytesMax, tooLarge);
      await hold.resize(body.length);
      return body;
    });

  return {
    async whole(request, use) {
      const packed = isGzip(request);
      const declared = declaredLength(request);
      if (declared !== null && declared > bodyBytesMax) throw tooLarge();
      return memory.during(Math.min(declared ?? STEP_BYTES, STEP_BYTES), async (hold) => {
        const pace = createPace(clock, bodyMsMax, tooSlow);
        const receiving =
          declared === null ? receiveChunked(request, hold) : receiveDeclared(request, declared, hold, pace);
        const body = await pace.during(receiving);
        return use(packed && body.length > 0 ? await unpacked(body, hold) : body);
      });
    },
  };
}

/** One who hangs up ends it with an error; one who is refused is read on, for it must hear the answer. */
const chunksOf = (request: IncomingMessage): AsyncIterable<Buffer> =>
  request.iterator({ destroyOnReturn: false });

/** Null when it comes in chunks. */
function declaredLength(request: IncomingMessage): number | null {
  const declared = request.headers['content-length'];
  return declared === undefined ? null : Number(declared);
}

/** Into one buffer of its length; Node's parser sees to it that neither more nor less comes. */
async function receiveDeclared(
  request: IncomingMessage,
  length: number,
  hold: Hold,
  pace: Pace,
): Promise<Buffer> {
  let body: Buffer | undefined;
  let at = 0;
  for await (const chunk of chunksOf(request)) {
    if (chunk.length === length) return chunk;
    body ??= Buffer.allocUnsafeSlow(length);
    const before = at;
    at += chunk.copy(body, at);
    if (before < STEP_BYTES && at >= STEP_BYTES) {
      await hold.resize(length);
      pace.expect(length - at);
    }
    pace.arrived(chunk.length);
  }
  return body ?? Buffer.alloc(0);
}

async function unpackWithin(packed: Buffer, bytesMax: number, tooLarge: () => Error): Promise<Buffer> {
  try {
    return await unpack(packed, { maxOutputLength: bytesMax, chunkSize: UNPACK_CHUNK_BYTES });
  } catch (failure) {
    if (failure instanceof Error && 'code' in failure && failure.code === 'ERR_BUFFER_TOO_LARGE')
      throw tooLarge();
    throw new Unacceptable(400, 'the body is not gzip, or was cut short', 'the body');
  }
}

/** `identity` and none mean the same; anything but gzip is refused. */
function isGzip(request: IncomingMessage): boolean {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity' || encoding === '') return false;
  if (encoding === 'gzip') return true;
  throw new Unacceptable(415, 'the content-encoding must be gzip or identity');
}
