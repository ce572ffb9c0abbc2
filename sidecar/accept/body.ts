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

/** A body that is being read. */
interface UnderWay {
  readonly sinceMs: number;
  bytes: number;
  giveUp(): void;
}

/** Whoever sends slower than this, after a grace, holds a connection for nothing. */
const BYTES_PER_SECOND_MIN = 100;
const GRACE_MS = 10_000;
const CHECKED_EVERY_MS = 1_000;

function isTooSlow({ sinceMs, bytes }: UnderWay, nowMs: number): boolean {
  const lastedMs = nowMs - sinceMs;
  return lastedMs > GRACE_MS && bytes < (lastedMs / 1000) * BYTES_PER_SECOND_MIN;
}

const tooSlow = (): Refusal =>
  new Refusal('bad_request', `The body came slower than ${BYTES_PER_SECOND_MIN} bytes a second.`, {
    reason: 'body_too_slow',
    status: 408,
  });

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
  const underWay = new Set<UnderWay>();
  setInterval(() => {
    const now = performance.now();
    for (const body of underWay) if (isTooSlow(body, now)) body.giveUp();
  }, CHECKED_EVERY_MS).unref();

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
        let watched: UnderWay | null = null;
        const fail = (refusal: Refusal): void => {
          if (watched) underWay.delete(watched);
          request.off('data', take);
          reject(refusal);
        };
        /** Most bodies come whole with their head and are never watched. */
        const watch = (): void => {
          watched ??= { sinceMs: performance.now(), bytes: 0, giveUp: () => fail(tooSlow()) };
          watched.bytes = total;
          underWay.add(watched);
        };
        const take = (chunk: Buffer): void => {
          try {
            refuseBeyond(chunk.length, total + chunk.length, bytesMax);
          } catch (failure) {
            return fail(failure as Refusal);
          }
          total += chunk.length;
          inFlight += chunk.length;
          chunks.push(chunk);
          if (total !== declared) watch();
        };
        request.on('data', take);
        request.once('end', () => {
          if (watched) underWay.delete(watched);
          if (request.rawTrailers.some(isProtected)) return fail(protectedTrailer());
          resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, total));
        });
        request.once('error', () =>
          fail(new Refusal('bad_request', 'The body broke off.', { reason: 'body_broke_off' })),
        );
      });
    },
    get bytesInFlight() {
      return inFlight;
    },
  };
}
