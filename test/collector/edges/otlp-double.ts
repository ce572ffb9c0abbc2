// Another OTLP backend, as a test wants it: it answers what it is told and keeps what it took.

import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

export interface OtlpDouble {
  readonly url: string;
  /** Bodies it answered 200, unzipped, in order. */
  readonly taken: readonly Buffer[];
  readonly headers: readonly IncomingHttpHeaders[];
  /** Resolves once it has taken so many bytes, or been asked so often. */
  reached(goal: { readonly bytes?: number; readonly asked?: number }): Promise<void>;
  close(): Promise<void>;
}

export interface Told {
  readonly status: number;
  readonly retryAfter?: string;
}

/** `answer` is asked with the number of the request, from 0. */
export async function startOtlpDouble(answer: (number: number) => Told): Promise<OtlpDouble> {
  const taken: Buffer[] = [];
  const headers: IncomingHttpHeaders[] = [];
  const goals: (() => void)[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { status, retryAfter } = answer(headers.length);
    headers.push(request.headers);
    if (status === 200) taken.push(gunzipSync(Buffer.concat(chunks)));
    response.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': retryAfter }).end();
    for (const check of goals) check();
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`,
    taken,
    headers,
    reached({ bytes = 0, asked = 0 }) {
      const done = Promise.withResolvers<void>();
      const check = () => {
        const sum = taken.reduce((all, { length }) => all + length, 0);
        if (sum >= bytes && headers.length >= asked) done.resolve();
      };
      goals.push(check);
      check();
      return done.promise;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
