// Bodies are read whole before anything is decided, because what was judged is what is sent. Both one body and all
// bodies in flight have a limit; beyond it nothing is read on.

import type { IncomingMessage } from 'node:http';
import { Refusal } from '../../contract/refusals.ts';

export interface Bodies {
  /** Throws Refusal `body_too_large`, or `bad_request` when the agent stops in the middle. */
  read(request: IncomingMessage, bytesMax: number): Promise<Buffer>;
  /** The body has gone or is not wanted any more. */
  release(body: Buffer): void;
  readonly bytesInFlight: number;
}

const EMPTY = Buffer.alloc(0);

export function createBodies(bytesInFlightMax: number): Bodies {
  let inFlight = 0;

  const tooLarge = (sentence: string): Refusal => new Refusal('body_too_large', sentence);

  const admit = (bytes: number, total: number, bytesMax: number): void => {
    if (total > bytesMax) throw tooLarge(`The body is larger than ${bytesMax} bytes.`);
    if (inFlight + bytes > bytesInFlightMax) {
      throw tooLarge(`Bodies in flight would pass ${bytesInFlightMax} bytes; send it again in a moment.`);
    }
    inFlight += bytes;
  };

  return {
    async read(request, bytesMax) {
      const declared = Number(request.headers['content-length'] ?? 0);
      if (declared > bytesMax) throw tooLarge(`The body is ${declared} bytes and the limit is ${bytesMax}.`);
      if (declared === 0 && request.headers['transfer-encoding'] === undefined) return EMPTY;
      const chunks: Buffer[] = [];
      let total = 0;
      return new Promise<Buffer>((resolve, reject) => {
        const fail = (failure: Error): void => {
          inFlight -= total;
          total = 0;
          request.off('data', take).off('end', finish);
          reject(failure);
        };
        const take = (chunk: Buffer): void => {
          try {
            admit(chunk.length, total + chunk.length, bytesMax);
            total += chunk.length;
            chunks.push(chunk);
          } catch (failure) {
            fail(failure as Refusal);
          }
        };
        const finish = (): void => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, total));
        request.on('data', take).once('end', finish);
        request.once('error', () => fail(new Refusal('bad_request', 'The body broke off.', { reason: 'body_broke_off' })));
      });
    },
    release(body) {
      inFlight -= body.length;
    },
    get bytesInFlight() {
      return inFlight;
    },
  };
}
