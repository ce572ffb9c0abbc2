// The shape every dialect has. A dialect is pure: bytes to facts and back. It recognises its endpoints, describes a
// request, says which bytes to splice in, meters an answer whole or streamed, and refuses in its own error shape.

import type { DialectName } from '../../contract/attributes.ts';
import type { Upstream } from '../../contract/config/config.ts';
import type { Refusal } from '../../contract/refusals.ts';
import type { Subject } from '../../contract/rules.ts';
import type { AskedCall, Bridge, CarriedCall } from './bridge.ts';
import type { Metered, StreamMeter } from './metered.ts';

export interface RequestHead {
  readonly method: string;
  /** Canonical, as the upstream will see it after its own base path: `/v1/chat/completions`. No query. */
  readonly path: string;
  /** With the leading `?`, or empty; byte-exact. */
  readonly query: string;
  /** Lower-case names; duplicates joined as Node joins them. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** `gen_ai.operation.name` of the OpenTelemetry GenAI conventions. */
export type Operation =
  | 'chat'
  | 'generate_content'
  | 'text_completion'
  | 'embeddings'
  | 'execute_tool'
  | 'invoke_agent';

export interface Endpoint {
  /** Null where the conventions have no name for it. */
  readonly operation: Operation | null;
  /**
   * `tokens`: metered by what its answer reports. `call`: at the upstream's price per call, else nothing. `free`: what
   * any rule of the upstream covers: model list, token counting, liveness, a session's handshake.
   */
  readonly billed: 'tokens' | 'call' | 'free';
  /** The dialect's own name for it, e.g. `responses`; what its other functions switch on. */
  readonly name: string;
  /** What of the body is judged: a JSON object, any JSON object or array, the bytes as they are, or nothing. */
  readonly body: 'object' | 'json' | 'bytes' | null;
  /** Its JSON may come without a content-type or as octets: the provider reads it as JSON all the same. */
  readonly untyped?: true;
  /** A media type that its JSON may come as beside application/json, lower case. */
  readonly mediaType?: string;
}

/** Where input is one conversation, never longer than the model's window. */
export const holdsConversation = ({ operation }: Endpoint): boolean =>
  operation === 'chat' || operation === 'generate_content';

/** Where a model writes, so that an output limit holds. */
export const writesOutput = (endpoint: Endpoint): boolean =>
  holdsConversation(endpoint) || endpoint.operation === 'text_completion';

/** One thing asked of a tool server or of another agent. */
export interface Act {
  /** The protocol's method: `tools/call`, `SendMessage`. */
  readonly method: string;
  /** The tool or skill; empty for what any rule of the upstream covers (`initialize`, `tools/list`). */
  readonly name: string;
  /** What a condition sees as `args`. */
  readonly args: JsonObject;
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
  /** Types of the tools that run at the provider, without their versions: `web_search`, `code_interpreter`, `mcp`… */
  readonly hostedTools: readonly string[];
  /** At the same index what a condition sees as `args` of that tool: its own object; the whole body where there is none. */
  readonly hostedArgs: readonly JsonObject[];
  /** Most times the provider runs its own tools before it answers; each use has a fee and reads the input again. */
  readonly hostedUsesMax: number;
  /** As asked for; null for the default. A tier without a rate is unpriced. */
  readonly serviceTier: string | null;
  /** Why this call's use cannot be metered here (audio output, a tool billed by time…), as a sentence; null when it can. */
  readonly unmeterable: string | null;
  /** Must be asked for in the body so that a streamed answer reports its usage. */
  readonly mustAskForUsage: boolean;
  /** What is asked of a tool server or agent: several in a batch; empty on a model's upstream. */
  readonly acts: readonly Act[];
  /** The requests of a batch, each judged and held for like a call of its own; empty on every other call. */
  readonly requests: readonly BatchedRequest[];
  /** The file that holds a batch's requests, and the name of the endpoint that all of them are for; null elsewhere. */
  readonly inputFile: { readonly id: string; readonly endpoint: string } | null;
  /** The work goes on after the answer has ended: a call that is cut short costs its hold. */
  readonly outlivesAnswer: boolean;
  /** Urls, without query, that the other agent is asked to call back to: each is weighed as a POST of this agent's own. */
  readonly callsBack: readonly string[];
  /** The answer is rewritten for the agent (a filtered list, a card), so it is asked for uncompressed. */
  readonly rewritten: boolean;
  /** The answer is a stream that stays open until someone closes it, however long nothing comes. */
  readonly listens?: true;
}

export interface BatchedRequest {
  readonly description: Description;
  readonly body: JsonObject;
}

/** At `at`, leave out `remove` bytes (a `null` or `false` to be replaced, else 0) and put in `insert`; all else goes as received. */
export interface Splice {
  readonly at: number;
  readonly remove: number;
  readonly insert: Buffer;
}

/** An answer's headers by their lower-case names. */
export interface AnswerHead {
  header(name: string): string | undefined;
}

/** What an answer says that sends a caller away. */
export interface Throttle {
  /** Milliseconds from now as it said them, whatever they are; null where it said nothing that can be read. */
  readonly waitMs: number | null;
  /** A limit of money or quota: nothing helps but paying, or its reset. */
  readonly spent: boolean;
}

export type ReadThrottle = (head: AnswerHead, body: Json | undefined, nowMs: number) => Throttle;

/** Writes an answer anew as it comes: what `push` and `flush` return is what the agent gets. */
export interface Rewriter {
  push(chunk: Buffer): Buffer;
  flush(): Buffer;
}

/** What a dialect may know when it rewrites an answer. */
export interface AnswerView {
  /** The upstream's name and url, and the url by which the agent reached it: the same but at the reverse door. */
  readonly upstream: string;
  readonly upstreamUrl: string;
  readonly reachedAs: string;
  readonly description: Description;
  readonly head: RequestHead;
  readonly status: number;
  readonly contentType: string;
  /** Whether the agent may ever do that; always true while it is only observed. */
  allows(subject: Subject): boolean;
  /**
   * Whether a tool's definition, by its digest, is the one that was accepted: the first one seen is. Always true while
   * the agent is only observed; what was seen is noted all the same.
   */
  pinned(tool: string, digest: string): boolean;
  /** Remembers what the call's requests were found to cost at most, by the id of the file that now holds them. */
  keepFile(id: string): void;
}

/** The request a refusal answers, as far as it was read. */
export interface Asked {
  readonly callId: string;
  readonly head?: RequestHead | undefined;
  readonly json?: JsonBody | undefined;
  /** The bytes that `json` was read from. */
  readonly body?: Buffer | undefined;
}

/** A request that only lacks its credential. */
export interface Unsigned {
  readonly origin: string;
  /** With its query. */
  readonly path: string;
  readonly method: string;
  /** Flat list of names and values, lower-case names. */
  readonly headers: readonly string[];
  readonly body: Buffer | null;
}

export interface Dialect {
  readonly name: DialectName;
  /**
   * The endpoint, or undefined when the path is none that we know: then it is refused. `base` is the path of the
   * upstream's own url, without a closing slash; empty where not given.
   */
  recognise(head: RequestHead, base?: string): Endpoint | undefined;
  /**
   * Throws Refusal `bad_request` when a field has a type it cannot have (BODY-03, BODY-04). `body` is the parsed JSON,
   * `{}` where the endpoint has none; `bytes` the body as received. What the body shows the endpoint to be goes on in the
   * description's own `endpoint`.
   */
  describe(endpoint: Endpoint, head: RequestHead, body: JsonBody, bytes: Buffer): Description;
  /**
   * What to splice into the body: `outputTokens` is the limit to write where the request named none, `trace` the W3C
   * trace headers that go with it (flat list of names and values).
   */
  splices(
    description: Description,
    body: JsonBody,
    bytes: Buffer,
    outputTokens: number | null,
    trace?: readonly string[],
    upstream?: Upstream,
  ): readonly Splice[];
  /** Whether an answer of that content type is a stream for `meterStream`; all others are read whole. */
  streams(contentType: string, description: Description): boolean;
  /** Reads a whole answer. `bytes` is decoded; `ok` is whether the status was 2xx; `head` is for usage told there alone. */
  meterWhole(description: Description, bytes: Buffer, ok: boolean, head?: AnswerHead): Metered;
  /** `dropUsageChunk`: usage was asked for by us alone. */
  meterStream(description: Description, options: { dropUsageChunk: boolean }): StreamMeter;
  /** How an answer is written anew; null where its bytes pass. Only asked where the description says `rewritten`. */
  rewriter?(answer: AnswerView): Rewriter | null;
  /** An agent's credential places, lower case, stripped on every call; and where ours goes. */
  readonly credentialHeaders: readonly string[];
  credentialHeader(secret: string, upstream: Upstream): readonly [name: string, value: string];
  /** Headers that sign the whole request, where a credential is not simply sent. Rejects with an Error for a secret it cannot use. */
  sign?(request: Unsigned, secret: string, nowMs: number): Promise<string[]>;
  /** The part of a secret that no answer may hold, where that is not all of it. */
  guarded?(secret: string): string;
  /** Why a path that is none of its endpoints is refused, as the rest of a sentence; null where nothing is known of it. */
  whyClosed?(head: RequestHead): string | null;
  /**
   * The same call for another model in the same wire form: nothing but the model's name differs. `elsewhere` is the base
   * path of another upstream, null where it stays. Null where the call says what holds for its own upstream alone.
   */
  forModel?(asked: AskedCall, model: string, elsewhere: string | null): CarriedCall | null;
  /** How its calls are carried to an upstream that wants another wire form; null where they are not, or need no carrying. */
  bridge?(to: Dialect, upstream: Upstream): Bridge | null;
  /** What an answer says that sends its caller away; `body` is its JSON, undefined where there is none, or not yet. */
  readonly throttle: ReadThrottle;
  /** A refusal as this dialect's clients understand it. Body is JSON text. */
  refuse(refusal: Refusal, asked: Asked): RefusalAnswer;
}

export interface RefusalAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  /** Besides those that every refusal carries; lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
}

export type JsonBody = JsonObject | Json[];
export type Json = string | number | boolean | null | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}
