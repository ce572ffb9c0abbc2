// How the practice provider should answer one request: a test says what it needs, the rest is as usual. Tokens are
// counted by one rule: one for every four bytes begun, of the request's body for input, of the answer's words for output.

import type { IncomingHttpHeaders } from 'node:http';

export interface ReceivedRequest {
  readonly method: string;
  /** As on the request line. */
  readonly url: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  /** Resolves when the answer has gone, with false when the client hung up before its end. */
  readonly ended: Promise<boolean>;
}

export interface ToolCall {
  readonly name: string;
  /** As the model would write them: JSON text. */
  readonly arguments: string;
  readonly id?: string;
}

export interface Counts {
  /** All input, cached and written tokens included. */
  readonly input?: number;
  readonly cached?: number;
  readonly cacheWrite?: number;
  /** Anthropic's one-hour writes. */
  readonly cacheWriteHour?: number;
  /** Reasoning included. */
  readonly output?: number;
  readonly reasoning?: number;
}

export interface Behaviour {
  /** Other than 200 gives an error body in the shape of the API that was called. */
  readonly status?: number;
  readonly errorType?: string;
  readonly errorMessage?: string;
  readonly text?: string;
  /** Write on past the request's limit. */
  readonly ignoresLimit?: boolean;
  readonly thinking?: string;
  readonly toolCalls?: readonly ToolCall[];
  readonly usage?: Counts;
  /** In place of the usage object, however wrong. */
  readonly rawUsage?: unknown;
  readonly withoutUsage?: boolean;
  /** The model the answer names. */
  readonly model?: string;
  readonly serviceTier?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it stands instead of any answer. */
  readonly raw?: { readonly contentType: string; readonly body: string | Buffer };
  /** How many words a stream's event holds; else one. */
  readonly wordsPerEvent?: number;
  readonly firstByteMs?: number;
  readonly betweenEventsMs?: number;
  /** Says all and leaves it to the other side to close. */
  readonly staysOpen?: boolean;
  /** Never answer. */
  readonly hang?: boolean;
  /** Break the connection after so many bytes of the body; 0 before the head. */
  readonly hangUpAfterBytes?: number;
  /** Puts an error event into a stream after so many events, and ends it there. */
  readonly streamErrorAfterEvents?: number;
  /** Leave out the stream's last events: usage, end marks. */
  readonly truncate?: boolean;
  /** Offsets in the body before which the bytes are flushed on their own. */
  readonly splitAt?: readonly number[];
  readonly gzip?: boolean;
}

/** An answer before it meets the wire. A stream is its events, each with its blank line. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer | readonly string[];
}

export type JsonRecord = Record<string, unknown>;

export const jsonAnswer = (
  body: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Answer => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

export const streamAnswer = (
  events: readonly string[],
  headers: Readonly<Record<string, string>> = {},
): Answer => ({
  status: 200,
  headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache', ...headers },
  body: events,
});

/** The events up to the wished-for error, then that; all of them when none is wished for. */
export function brokenOff(
  events: string[],
  { streamErrorAfterEvents: at }: Behaviour,
  error: string,
): string[] {
  return at === undefined ? events : [...events.slice(0, at), error];
}
