// What the sidecar answers to a message, as lines for the client: the events of a stream, or one body.

import type { IncomingMessage } from 'node:http';
import { isObject } from '../../sidecar/dialects/fields.ts';
import { asLine, linesOf } from './lines.ts';
import type { Carried } from './message.ts';

/** Every message in it, as it comes. */
export async function* messagesIn(answer: IncomingMessage): AsyncGenerator<Buffer> {
  if (isStream(answer)) yield* eventsIn(answer);
  else {
    const body = await wholeOf(answer);
    if (body.length > 0) yield asLine(body);
  }
}

export const isStream = ({ headers }: IncomingMessage): boolean =>
  /^text\/event-stream\b/i.test(headers['content-type'] ?? '');

/** The data of each event as one line; a message of tens of megabytes is one of them. */
async function* eventsIn(answer: IncomingMessage): AsyncGenerator<Buffer> {
  let data: Buffer[] = [];
  for await (const line of linesOf(answer, Infinity)) {
    if (line === null) continue;
    if (line.length > 0) {
      if (line.toString('latin1', 0, 5) === 'data:') data.push(line.subarray(line[5] === 0x20 ? 6 : 5));
      continue;
    }
    if (data.length > 0) yield Buffer.concat(data);
    data = [];
  }
}

async function wholeOf(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** The version that `initialize` agreed on; null in any other message. */
export function versionIn(said: Carried | null): string | null {
  const result = said?.message.result;
  const version = isObject(result) ? result.protocolVersion : null;
  return typeof version === 'string' ? version : null;
}

/** What an error says, as a sentence. */
export function whyOf(said: Carried | null): string {
  const error = said?.message.error;
  const message = isObject(error) ? error.message : null;
  return typeof message === 'string' ? message : 'The message was refused.';
}
