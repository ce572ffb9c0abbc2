// What an answer said, in one shape for all dialects: the tokens it used, the tools it asked for, how it ended; and what reads
// that of a streamed one while its bytes pass.

export interface ToolRequest {
  readonly name: string;
  readonly id: string;
  /** Lower-case hex SHA-256 of the arguments as the model wrote them. */
  readonly argumentsDigest: string;
}

/** Token classes are disjoint here: input = uncached + cached + cache writes. Missing is never zero: null says unknown. */
export interface Usage {
  readonly uncachedInputTokens: number;
  readonly cachedInputTokens: number;
  readonly cacheWriteTokens: number;
  /** Anthropic's one-hour cache writes; also not part of `cacheWriteTokens`. */
  readonly cacheWriteHourTokens: number;
  /** Reasoning included. */
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  /** Sound among the uncached and among the cached input, where it may cost other than text; may be left out where there is none. */
  readonly audioInputTokens?: number;
  readonly cachedAudioInputTokens?: number;
  /** Uses of hosted tools by type, where the provider reports them. */
  readonly hostedUses: Readonly<Record<string, number>>;
}

/** What an answer said. */
export interface Metered {
  /** Null when the answer reported none, or nonsense (negative, not a number, a string). */
  readonly usage: Usage | null;
  /** For a broken stream: what was reported so far (Anthropic's message_start), input side only. */
  readonly partial: Usage | null;
  /** Visible output seen: bytes of text, tool arguments and reasoning; a token is never less than a byte. */
  readonly outputBytesSeen: number;
  readonly model: string | null;
  readonly responseId: string | null;
  readonly finishReasons: readonly string[];
  readonly serviceTier: string | null;
  readonly toolRequests: readonly ToolRequest[];
  /** An error the stream itself carried after HTTP 200, or an error body's type; null without. */
  readonly errorType: string | null;
  /** The stream came to its own legal end (`[DONE]`, `message_stop`, `response.completed`). Whole answers: true. */
  readonly complete: boolean;
}

/** Reads a streamed answer while its bytes pass. One per call. */
export interface StreamMeter {
  /**
   * Takes bytes as they came, decoded if they were compressed. Returns what the agent may have now: the very same
   * bytes, except that a usage chunk which only we asked for is taken out (then bytes of an unfinished event wait).
   */
  push(chunk: Buffer): Buffer;
  /** Bytes still waiting at the end of the stream, to be passed on. */
  flush(): Buffer;
  /** May be asked at any time, after a hang-up as well. */
  metered(): Metered;
  /** Output tokens so far, surely no more than were made: as reported, or by the text seen. Asked after every push. */
  outputTokensSeen(): number;
  /** How many bytes have passed since the last complete event ended: a stream can only be cut where it is 0. */
  unfinishedBytes(): number;
  /**
   * Bytes that end the stream legally here, as the dialect does when an output limit is reached; after them nothing is
   * passed on. They begin where the last complete event ended. Asked at most once; `metered` then knows of it.
   */
  cut(): Buffer;
}
