// An HTTP server that stands for Slack or somebody's webhook: keeps what it is sent, answers what it is told to.

import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ChannelDouble {
  readonly url: string;
  readonly received: readonly { readonly headers: IncomingHttpHeaders; readonly body: string }[];
  answer(status: number, headers?: Record<string, string>, text?: string): void;
  close(): Promise<void>;
}

export async function startChannel(): Promise<ChannelDouble> {
  const received: { headers: IncomingHttpHeaders; body: string }[] = [];
  let status = 200;
  let extra: Record<string, string> = {};
  let says = 'ok';
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => {
      received.push({ headers: request.headers, body });
      response.writeHead(status, extra).end(says);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    answer(next, headers = {}, text = 'ok') {
      status = next;
      extra = headers;
      says = text;
    },
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => void server.close(() => resolve()));
    },
  };
}
