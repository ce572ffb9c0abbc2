// Anthropic's messages by Bedrock's InvokeModel: the body names its version and its betas and leaves out the model, which
// the path says; a streamed answer comes in frames that hold the API's own events, and with Bedrock's counts on the last.
// Source: docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html

import { basePathOf } from '../../../contract/config/addresses.ts';
import type { Upstream } from '../../../contract/config/config.ts';
import type { FrameHeaders } from '../aws-frames.ts';
import { familyOf } from '../bedrock/families.ts';
import { isFrameStream } from '../bedrock/meter.ts';
import type { AskedCall, Bridge, CarriedAnswer, CarriedCall } from '../bridge.ts';
import type { AnswerHead, Dialect, JsonObject } from '../dialect.ts';
import { isObject } from '../fields.ts';
import { changeMembers } from '../members.ts';
import { rewriteFrames } from '../rewrite-frames.ts';
import { rewriteBytes } from '../rewrite-whole.ts';
import { parse } from '../stream-meter.ts';
import { betasOf, withoutOwnHeaders } from './bridge-headers.ts';
import { errorBody, errorTypeOf } from './errors.ts';

const VERSION = JSON.stringify('bedrock-2023-05-31');
/** Beside the model and the stream, which the path says, tiers: only the ordinary one is carried. */
const LEFT = new Set(['model', 'stream', 'service_tier', 'speed', 'inference_geo']);
const METRICS = 'amazon-bedrock-invocationMetrics';
const WITHOUT_METRICS = new Set([METRICS]);

export const bedrockBridge = (to: Dialect): Bridge => ({ dialect: to, request, answer });

function request(asked: AskedCall, model: string, upstream: Upstream): CarriedCall | null {
  if (!isAnthropic(model)) return null;
  const betas = betasOf(asked.head);
  const way = asked.description.stream ? 'invoke-with-response-stream' : 'invoke';
  return {
    path: `${basePathOf(upstream.url)}/model/${encodeURIComponent(model)}/${way}`,
    query: '',
    body: changeMembers(asked.body, LEFT, {
      anthropic_version: VERSION,
      ...(betas.length > 0 && { anthropic_beta: JSON.stringify(betas) }),
    }),
    headers: {
      ...withoutOwnHeaders(asked.head),
      'content-type': 'application/json',
      accept: 'application/json',
      'accept-encoding': 'identity',
    },
  };
}

/** By its id; the name of an account's own profile tells nothing, and is taken for what the config says it is. */
const isAnthropic = (model: string): boolean =>
  familyOf(model).name === 'anthropic' || model.startsWith('arn:');

function answer(status: number, head: AnswerHead): CarriedAnswer {
  const requestId = head.header('x-amzn-requestid') ?? null;
  const headers = { ...WITHOUT_OWN, ...(requestId !== null && { 'request-id': requestId }) };
  if (status >= 300) {
    const rewriter = rewriteBytes((bytes) => wholeError(bytes, status, head));
    return { rewriter, headers: { ...headers, 'content-type': 'application/json' } };
  }
  if (!isFrameStream(head.header('content-type') ?? '')) return { rewriter: null, headers };
  return {
    rewriter: rewriteFrames(eventOf),
    headers: { ...headers, 'content-type': 'text/event-stream; charset=utf-8' },
  };
}

const WITHOUT_OWN: Readonly<Record<string, null>> = Object.fromEntries(
  `x-amzn-requestid x-amzn-errortype x-amzn-bedrock-content-type x-amzn-bedrock-invocation-latency
   x-amzn-bedrock-input-token-count x-amzn-bedrock-output-token-count x-amzn-bedrock-cache-read-input-token-count
   x-amzn-bedrock-cache-write-input-token-count x-amzn-bedrock-service-tier
   x-amzn-bedrock-performanceconfig-latency`
    .split(/\s+/)
    .map((name) => [name, null]),
);

function eventOf(headers: FrameHeaders, payload: Buffer): string {
  const failed = headers[':exception-type'] ?? headers[':error-code'];
  const frame = parse(payload.toString());
  if (failed !== undefined) return errorEvent(failed, headers[':error-message'] ?? messageIn(frame));
  if (!isObject(frame) || typeof frame.bytes !== 'string') return '';
  const bytes = Buffer.from(frame.bytes, 'base64');
  const event = parse(bytes.toString());
  if (!isObject(event) || typeof event.type !== 'string')
    throw new Error('A chunk holds no event of the API.');
  const data = METRICS in event ? changeMembers(bytes, WITHOUT_METRICS, {}) : bytes;
  return `event: ${oneLine(event.type)}\ndata: ${oneLine(data.toString())}\n\n`;
}

/** A line's end between the members of JSON means nothing, and would end the line of an event. */
const oneLine = (text: string): string => text.replace(/[\r\n]+/g, ' ');

function errorEvent(exception: string, message: string): string {
  const error = { type: typeOfException(exception) ?? 'api_error', message };
  return `event: error\ndata: ${JSON.stringify(errorBody(error, null))}\n\n`;
}

function wholeError(bytes: Buffer, status: number, head: AnswerHead): Buffer {
  const exception = (head.header('x-amzn-errortype') ?? '').replace(/:.*$/s, '');
  const type = typeOfException(exception) ?? errorTypeOf(status);
  const message = messageIn(parse(bytes.toString())) || `${status} ${exception}`.trim();
  return Buffer.from(JSON.stringify(errorBody({ type, message }, head.header('x-amzn-requestid') ?? null)));
}

/** Exceptions of the service by name, whose first letter is small in a stream. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  accessdenied: 'permission_error',
  internalserver: 'api_error',
  modelerror: 'api_error',
  modelnotready: 'overloaded_error',
  modelstreamerror: 'api_error',
  modeltimeout: 'timeout_error',
  resourcenotfound: 'not_found_error',
  servicequotaexceeded: 'rate_limit_error',
  serviceunavailable: 'overloaded_error',
  throttling: 'rate_limit_error',
  validation: 'invalid_request_error',
};

const typeOfException = (name: string): string | undefined =>
  EXCEPTIONS[name.toLowerCase().replace(/exception$/, '')];

function messageIn(body: unknown): string {
  const { message, Message } = (isObject(body as JsonObject) ? body : {}) as JsonObject;
  return typeof message === 'string' ? message : typeof Message === 'string' ? Message : '';
}
