// A double of Slack's incoming webhooks: takes what the real one takes, answers `ok`, keeps what was said.
// Source: docs.slack.dev, "Sending messages using incoming webhooks".

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SlackDouble {
  /** The webhook's secret URL. */
  readonly url: string;
  /** The plain text of every message, in order. */
  readonly messages: readonly string[];
  close(): Promise<void>;
}

export async function startSlack(): Promise<SlackDouble> {
  const messages: string[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const said = textOf(text);
    if (said === undefined) return void response.writeHead(400).end('invalid_payload');
    messages.push(said);
    response.writeHead(200).end('ok');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/services/T0/B0/practice`,
    messages,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function textOf(body: string): string | undefined {
  try {
    const { text } = JSON.parse(body) as { text?: unknown };
    return typeof text === 'string' ? text : undefined;
  } catch (failure) {
    if (failure instanceof SyntaxError) return undefined;
    throw failure;
  }
}
