// Bodies are read whole before anything is decided, because what was judged is what is sent. One body and all bodies
// in flight have a limit each; beyond it nothing is read on.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Refusal } from '../../contract/refusals.ts';

export interface Bodies {
  /**
   * Counts as in flight until the response is closed. Throws Refusal `body_too_large`, or `bad_request` when the agent
   * stops in the middle.
   */
  read(request: IncomingMessage, response: ServerResponse, bytesMax: number): Promise<Buffer>;
  readonly bytesInFlight: number;
}

/** What must stand in the head, where it was judged; every other trailer is left behind (RFC 9110 § 6.5.1). */
const PROTECTED = new Set(['authorization', 'content-length', 'host', 'transfer-encoding']);
const isProtected = (name: string, index: number): boolean =>
  index % 2 === 0 && PROTECTED.has(name.toLowerCase());
const protectedTrailer = (): Refusal =>
  new Refusal('bad_request', 'A trailer may not say what belongs into the head.', { reason: 'trailer' });

const EMPTY = Buffer.alloc(0);

/** `bytesInFlightMax` is read at each use: it may change while calls run. */
export function createBodies(bytesInFlightMax: () => number): Bodies {
  let inFlight = 0;

  const refuseBeyond = (chunkBytes: number, totalBytes: number, bytesMax: number): void => {
    if (totalBytes > bytesMax)
      throw new Refusal('body_too_large', `The body is larger than ${bytesMax} bytes.`);
    if (inFlight + chunkBytes <= bytesInFlightMax()) return;
    throw new Refusal(
      'body_too_large',
      `Bodies in flight would pass ${bytesInFlightMax()} bytes; send it again in a moment.`,
      {
        reason: 'bodies_in_flight',
        mayRetry: true,
      },
    );
  };

  return {
    async read(request, response, bytesMax) {
      const declared = Number(request.headers['content-length'] ?? 0);
      if (declared === 0 && request.headers['transfer-encoding'] === undefined) return EMPTY;
      refuseBeyond(declared, declared, bytesMax);
      if (request.headers.expect !== undefined) response.writeContinue();
      const chunks: Buffer[] = [];
      let total = 0;
      response.once('close', () => {
        inFlight -= total;
        total = 0;
      });
      return new Promise<Buffer>((resolve, reject) => {
        const take = (chunk: Buffer): void => {
          try {
            refuseBeyond(chunk.length, total + chunk.length, bytesMax);
          } catch (failure) {
            request.off('data', take);
            return reject(failure as Refusal);
          }
          total += chunk.length;
          inFlight += chunk.length;
          chunks.push(chunk);
        };
        request.on('data', take);
        request.once('end', () => {
          if (request.rawTrailers.some(isProtected)) return reject(protectedTrailer());
          resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, total));
        });
        request.once('error', () =>
          reject(new Refusal('bad_request', 'The body broke off.', { reason: 'body_broke_off' })),
        );
      });
    },
    get bytesInFlight() {
      return inFlight;
    },
  };
}
