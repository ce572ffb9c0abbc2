// Anthropic's messages at Vertex AI: the body names its version and leaves out the model, which the path says; betas stay a
// header, and a stream's events are the API's own but for those that Vertex adds. What Google answers itself, for want of
// quota or of a token, is in Google's shape.
// Source: docs.cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/use-claude

import type { Upstream } from '../../../contract/config/config.ts';
import type { AskedCall, Bridge, CarriedAnswer, CarriedCall } from '../bridge.ts';
import type { AnswerHead, Dialect } from '../dialect.ts';
import { isObject } from '../fields.ts';
import { publishedAt } from '../gemini/place.ts';
import { changeMembers } from '../members.ts';
import { rewriteEvents } from '../rewrite-events.ts';
import { rewriteBytes } from '../rewrite-whole.ts';
import { isEventStream } from '../sse.ts';
import { parse } from '../stream-meter.ts';
import { withoutOwnHeaders } from './bridge-headers.ts';
import { errorBody, errorTypeOf } from './errors.ts';

const VERSION = JSON.stringify('vertex-2023-10-16');
const LEFT = new Set(['model', 'service_tier', 'speed', 'inference_geo']);

/** Null where the upstream's url names no project. */
export const vertexBridge = (to: Dialect, upstream: Upstream): Bridge | null =>
  to.name === 'gemini' && publishedAt(upstream, 'anthropic') !== null
    ? { dialect: to, request, answer }
    : null;

function request(asked: AskedCall, model: string, upstream: Upstream): CarriedCall | null {
  const models = publishedAt(upstream, 'anthropic');
  if (models === null || !/^claude-[a-z0-9@.-]+$/.test(model)) return null;
  const method = asked.description.stream ? 'streamRawPredict' : 'rawPredict';
  const { 'anthropic-beta': _kept, ...others } = withoutOwnHeaders(asked.head);
  return {
    path: `${models}/${model}:${method}`,
    query: '',
    body: changeMembers(asked.body, LEFT, { anthropic_version: VERSION }),
    headers: { ...others, 'accept-encoding': 'identity' },
  };
}

function answer(status: number, head: AnswerHead): CarriedAnswer {
  if (status >= 300) {
    const rewriter = rewriteBytes((bytes) => wholeError(bytes, status));
    return { rewriter, headers: { 'content-type': 'application/json' } };
  }
  if (!isEventStream(head.header('content-type') ?? '')) return { rewriter: null, headers: {} };
  return { rewriter: rewriteEvents(withoutVertexEvents), headers: {} };
}

/** Strict clients of the API fail on an event that it does not have (github.com/vercel/ai/issues/13350). */
const withoutVertexEvents = (data: Buffer): Buffer | null => {
  const event = data.includes('vertex_event') ? parse(data.toString()) : undefined;
  return isObject(event) && event.type === 'vertex_event' ? null : data;
};

function wholeError(bytes: Buffer, status: number): Buffer {
  const told = parse(bytes.toString());
  const body = Array.isArray(told) ? told[0] : told;
  if (isObject(body) && body.type === 'error') return bytes;
  const said = isObject(body) && isObject(body.error) ? body.error.message : undefined;
  const message = typeof said === 'string' ? said : String(status);
  return Buffer.from(JSON.stringify(errorBody({ type: errorTypeOf(status), message }, null)));
}
