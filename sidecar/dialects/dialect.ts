// The shape every dialect has. A dialect is pure: bytes to facts and back. It recognises its endpoints, describes a
// request, says which bytes to splice in, meters an answer whole or streamed, and refuses in its own error shape.

import type { DialectName } from '../../contract/attributes.ts';
import type { Refusal } from '../../contract/refusals.ts';

export interface RequestHead {
  readonly method: string;
  /** Canonical, as the upstream will see it after its own base path: `/v1/chat/completions`. No query. */
  readonly path: string;
  /** With the leading `?`, or empty; byte-exact. */
  readonly query: string;
  /** Lower-case names; duplicates joined as Node joins them. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** `chat`, `text_completion`, `embeddings`: metered. `free`: model list, token counting, liveness; covered by any llm rule. */
export interface Endpoint {
  readonly operation: 'chat' | 'text_completion' | 'embeddings' | 'free' | 'call';
  /** The dialect's own name for it, e.g. `responses`; what its other functions switch on. */
  readonly name: string;
  /** True when a request has a JSON body that must be judged. */
  readonly body: boolean;
}

/** What a request says, as far as anyone needs to decide, hold money and record. */
export interface Description {
  readonly endpoint: Endpoint;
  /** Asked for, decoded; null on endpoints without one. */
  readonly model: string | null;
  readonly stream: boolean;
  /** Most tokens the input can be; `context_window` when a part is given by reference and could be anything up to it. */
  readonly inputTokensMax: number | 'context_window';
  /** The request's own output limit for one choice; null when it names none. */
  readonly outputTokensMax: number | null;
  /** Billed as output beside that limit, for each choice: a rejected prediction. */
  readonly outputTokensBesides: number;
  /** Completions asked for (`n`), at least 1. */
  readonly choices: number;
  /** Names of the tools the request offers the model; they run inside the agent. */
  readonly toolsOffered: readonly string[];
  /** Types of the tools that run at the provider: `web_search`, `code_interpreter`, `mcp`… */
  readonly hostedTools: readonly string[];
  /** Most times the provider runs its own tools before it answers; each use has a fee and reads the input again. */
  readonly hostedUsesMax: number;
  /** As asked for; null for the default. A tier without a rate is unpriced. */
  readonly serviceTier: string | null;
  /** Why this call's use cannot be metered here (background mode, audio output…), as a sentence; null when it can. */
  readonly unmeterable: string | null;
  /** Must be asked for in the body so that a streamed answer reports its usage. */
  readonly mustAskForUsage: boolean;
}

/** At `at`, leave out `remove` bytes (a `null` or `false` to be replaced, else 0) and put in `insert`; all else goes as received. */
export interface Splice {
  readonly at: number;
  readonly remove: number;
  readonly insert: Buffer;
}

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
}

export interface Dialect {
  readonly name: DialectName;
  /** The endpoint, or undefined when the path is none that we know: then it is refused. */
  recognise(head: RequestHead): Endpoint | undefined;
  /** Throws Refusal `bad_request` when a field has a type it cannot have (BODY-03, BODY-04). `body` is the parsed JSON. */
  describe(endpoint: Endpoint, head: RequestHead, body: JsonObject, bodyBytes: number): Description;
  /** What to splice into the body: `outputTokens` is the limit to write where the request named none. */
  splices(
    description: Description,
    body: JsonObject,
    bytes: Buffer,
    outputTokens: number | null,
  ): readonly Splice[];
  /** Reads a whole answer. `bytes` is decoded; `ok` is whether the status was 2xx. */
  meterWhole(description: Description, bytes: Buffer, ok: boolean): Metered;
  /** `dropUsageChunk`: usage was asked for by us alone. */
  meterStream(description: Description, options: { dropUsageChunk: boolean }): StreamMeter;
  /** An agent's credential places, lower case, stripped on every call; and where ours goes. */
  readonly credentialHeaders: readonly string[];
  credentialHeader(secret: string): readonly [name: string, value: string];
  /** A refusal as this dialect's clients understand it. Body is JSON text. */
  refuse(refusal: Refusal, callId: string): { status: number; contentType: string; body: string };
}

export type Json = string | number | boolean | null | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}
