// The rest of the world over plain HTTP: search, pictures, market reports, adverts, the CMS, mail, the database. Each asks
// for its key, answers as such a service would, and writes what it served on the bill.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Bill, CALL_PRICES, spanOf } from './bill.ts';
import { prose, seedOf } from './words.ts';

export const SERVICES = ['search', 'images', 'reports', 'adverts', 'cms', 'mail', 'database'] as const;
export type Service = (typeof SERVICES)[number];

/** In a search: answered 500. */
export const OUT_OF_ORDER = 'out-of-order';

const BYTES_PER_WORD = 6;
const SEARCH_BYTES_MAX = 200_000;

export interface Services {
  /** `http://127.0.0.1:port`; each service lives under its own name. */
  readonly url: string;
  close(): Promise<void>;
}

export async function startServices(bill: Bill, key: string): Promise<Services> {
  const server = createServer((request, response) => {
    serve(request, response, bill, key).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  bill: Bill,
  key: string,
): Promise<void> {
  for await (const _ of request); // what was sent is of no interest, but it has to arrive
  const url = new URL(request.url ?? '/', 'http://services');
  const service = url.pathname.split('/')[1] ?? '';
  const known = (SERVICES as readonly string[]).includes(service);
  const status = !known ? 404 : request.headers.authorization !== `Bearer ${key}` ? 401 : statusOf(url);
  bill.add({
    ...spanOf(request.headers.traceparent),
    service,
    method: request.method ?? '',
    path: url.pathname,
    status,
    model: '',
    tokensIn: 0,
    tokensOut: 0,
    nanodollars: status < 400 ? (CALL_PRICES[service] ?? 0n) : 0n,
  });
  const body = status < 400 ? answerOf(service, url) : { error: `practice error ${status}` };
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

const statusOf = (url: URL): number => (url.searchParams.get('q')?.startsWith(OUT_OF_ORDER) ? 500 : 200);

function answerOf(service: string, url: URL): unknown {
  if (service !== 'search') return { service, path: url.pathname, id: seedOf(url.href).toString(16) };
  const bytes = Math.min(Number(url.searchParams.get('bytes') ?? 1_000), SEARCH_BYTES_MAX);
  return { results: prose(Math.ceil(bytes / BYTES_PER_WORD), seedOf(url.search)) };
}
