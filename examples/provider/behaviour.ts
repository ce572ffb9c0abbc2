// How the practice provider should answer one request: a test says what it needs, everything else is as usual.

export interface Behaviour {
  /** HTTP status; 400 and above answers in the provider's own error shape. */
  readonly status?: number;
  /** The provider's own word for the error, e.g. `overloaded_error`. */
  readonly errorType?: string;
  readonly text?: string;
  readonly toolCalls?: readonly { readonly id: string; readonly name: string; readonly arguments: string }[];
  readonly usage?: {
    /** Input in all, cached and written included. */
    readonly input: number;
    readonly output: number;
    readonly cached?: number;
    readonly cacheWrite?: number;
    readonly reasoning?: number;
  };
  /** Leaves usage out of the answer altogether. */
  readonly withoutUsage?: boolean;
  /** The model that claims to have answered. */
  readonly model?: string;
  readonly firstByteMs?: number;
  readonly betweenEventsMs?: number;
  /** Never answers. */
  readonly hang?: boolean;
  /** Closes the connection: before any byte (0) or after so many bytes of the body. */
  readonly hangUpAfterBytes?: number;
  /** Puts an error event into a stream after so many events. */
  readonly streamErrorAfterEvents?: number;
  /** Cuts the body at these offsets, each piece sent on its own. */
  readonly splitAt?: readonly number[];
  readonly gzip?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it stands instead of any answer. */
  readonly raw?: { readonly contentType: string; readonly body: string };
}

/** An answer ready to be sent: pieces of the body with a pause before each. */
export interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly pieces: readonly { readonly bytes: Buffer; readonly pauseMs: number }[];
}

export interface Tokens {
  readonly input: number;
  readonly output: number;
  readonly cached: number;
  readonly cacheWrite: number;
  readonly reasoning: number;
}

const BYTES_PER_TOKEN = 4;

/** One token for each four bytes, at least one; output no more than the request allows. */
export function tokensOf(bodyBytes: number, text: string, outputMax: number, behaviour: Behaviour): Tokens {
  const { usage } = behaviour;
  return {
    input: usage?.input ?? Math.max(1, Math.ceil(bodyBytes / BYTES_PER_TOKEN)),
    output:
      usage?.output ?? Math.min(outputMax, Math.max(1, Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN))),
    cached: usage?.cached ?? 0,
    cacheWrite: usage?.cacheWrite ?? 0,
    reasoning: usage?.reasoning ?? 0,
  };
}

export function whole(status: number, body: unknown, behaviour: Behaviour): Reply {
  const bytes = Buffer.from(`${JSON.stringify(body, null, 2)}\n`);
  return {
    status,
    contentType: 'application/json',
    pieces: [{ bytes, pauseMs: behaviour.firstByteMs ?? 0 }],
  };
}

/** Server-sent events; each is an `event:` name (or none) and data. */
export function streamed(events: readonly { name?: string; data: unknown }[], behaviour: Behaviour): Reply {
  const pieces = events.map(({ name, data }, i) => {
    const text = typeof data === 'string' ? data : JSON.stringify(data);
    const bytes = Buffer.from(`${name === undefined ? '' : `event: ${name}\n`}data: ${text}\n\n`);
    return { bytes, pauseMs: i === 0 ? (behaviour.firstByteMs ?? 0) : (behaviour.betweenEventsMs ?? 0) };
  });
  return { status: 200, contentType: 'text/event-stream; charset=utf-8', pieces };
}

/** The text in words, each with its space, as a model streams it. */
export const words = (text: string): string[] => text.match(/\S+\s*/g) ?? [];
