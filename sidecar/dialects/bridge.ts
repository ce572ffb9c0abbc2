// How a call is carried to another model or upstream when the one that was asked fails: in the same wire form only the
// model's name differs; in another one a bridge writes the request anew, and the answer back. Pure, like all dialects.

import type { Upstream } from '../../contract/config/config.ts';
import type { AnswerHead, Description, Dialect, JsonObject, RequestHead, Rewriter } from './dialect.ts';

/** A call as it was asked, when it is to be carried elsewhere. */
export interface AskedCall {
  readonly head: RequestHead;
  /** The path of the asked upstream's own url, without a closing slash; `head.path` begins with it. */
  readonly base: string;
  readonly json: JsonObject;
  /** The bytes that `json` was read from. */
  readonly body: Buffer;
  readonly description: Description;
}

/** What is sent in its place. Judged, priced and metered anew by the dialect it is written in. */
export interface CarriedCall {
  /** Whole, with the base path of the upstream it goes to. */
  readonly path: string;
  readonly query: string;
  readonly body: Buffer;
  /** Set on top of the agent's own, in place of those of the same name; lower-case names, null takes one out. */
  readonly headers: Readonly<Record<string, string | null>>;
}

/** An answer in the wire form that the agent asked in. */
export interface CarriedAnswer {
  /** Null where the bytes pass as they are. */
  readonly rewriter: Rewriter | null;
  /** Set on top of the upstream's own, as above. */
  readonly headers: Readonly<Record<string, string | null>>;
}

/** Carries calls in one wire form to an upstream that speaks another. Pure; one serves any number of calls. */
export interface Bridge {
  /** Speaks to that upstream: describes what goes there, signs it, meters its answer. */
  readonly dialect: Dialect;
  /** Null where the call says something that the other form cannot. */
  request(asked: AskedCall, model: string, upstream: Upstream): CarriedCall | null;
  /** Asked once the answer's head has come; `asked` and `sent` describe the call in the two forms. */
  answer(status: number, head: AnswerHead, asked: Description, sent: Description): CarriedAnswer;
}
