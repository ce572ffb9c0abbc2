// A request's body, whole, never larger than the limit: neither as it comes nor unpacked. Bodies being read share a
// budget; who finds it spent waits, unread, so that TCP slows the sender down and memory stays flat.

import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { Unacceptable } from './answer.ts';
import { createBudget } from './budget.ts';

export interface BodyReader {
  /** Throws Unacceptable: 413 too large, 400 not gzip or cut short. */
  read(request: IncomingMessage): Promise<Buffer>;
}

/** What a body of unknown length is counted as until it has come. */
const BYTES_ASSUMED = 1024 * 1024;
/** At most so many are unpacked at once; each may grow to the limit before it is refused. */
const UNPACKING_MAX = 2;
const UNPACK_CHUNK_BYTES = 64 * 1024;

const unpack = promisify(gunzip);

export function createBodyReader(bodyBytesMax: number, bytesInFlightMax: number): BodyReader {
  const bytes = createBudget(bytesInFlightMax);
  const unpacking = createBudget(UNPACKING_MAX);
  const tooLarge = () => new Unacceptable(413, `a request may hold ${bodyBytesMax} bytes, also unpacked`);

  const receive = async (request: IncomingMessage): Promise<Buffer> => {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > bodyBytesMax) throw tooLarge();
      chunks.push(chunk);
    }
    return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length);
  };

  const unpacked = async (packed: Buffer): Promise<Buffer> => {
    const limits = { maxOutputLength: bodyBytesMax, chunkSize: UNPACK_CHUNK_BYTES };
    try {
      return await unpacking.during(1, () => unpack(packed, limits));
    } catch (failure) {
      if (failure instanceof Error && 'code' in failure && failure.code === 'ERR_BUFFER_TOO_LARGE')
        throw tooLarge();
      throw new Unacceptable(400, 'the body is not gzip, or was cut short');
    }
  };

  return {
    async read(request) {
      const packed = isGzip(request);
      const declared = Number(request.headers['content-length'] ?? BYTES_ASSUMED);
      if (declared > bodyBytesMax && request.headers['content-length'] !== undefined) throw tooLarge();
      return bytes.during(declared, async () => {
        const body = await receive(request);
        return packed && body.length > 0 ? await unpacked(body) : body;
      });
    },
  };
}

/** `identity` and none mean the same; anything but gzip is refused. */
function isGzip(request: IncomingMessage): boolean {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity' || encoding === '') return false;
  if (encoding === 'gzip') return true;
  throw new Unacceptable(415, 'the content-encoding must be gzip or identity');
}
