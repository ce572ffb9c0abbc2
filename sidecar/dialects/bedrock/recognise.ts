// Which paths of Bedrock's runtime we know: the four ways to ask a model, and its token counter. The model stands in the
// path, percent-encoded, and says what an `invoke` is: a conversation, a completion or an embedding. Unknown, and so
// refused: guardrails by themselves, jobs that write to S3 (`async-invoke`) and speech both ways, whose cost is not seen here.
// Source: docs.aws.amazon.com/bedrock/latest/APIReference (Amazon Bedrock Runtime)

import type { Endpoint, Operation, RequestHead } from '../dialect.ts';
import { familyOf } from './families.ts';

const endpoint = (name: string, operation: Operation): Endpoint => ({
  operation,
  billed: 'tokens',
  name,
  body: 'object',
});

const CONVERSE = endpoint('converse', 'chat');
const CONVERSE_STREAM = endpoint('converse_stream', 'chat');
const COUNT_TOKENS: Endpoint = { operation: null, billed: 'free', name: 'count_tokens', body: 'object' };

/** `InvokeModel` takes bytes: clients call them octets or nothing at all, and Bedrock reads them as JSON all the same. */
const invoked = (name: string): Readonly<Record<'chat' | 'text_completion' | 'embeddings', Endpoint>> => ({
  chat: { ...endpoint(name, 'chat'), untyped: true },
  text_completion: { ...endpoint(name, 'text_completion'), untyped: true },
  embeddings: { ...endpoint(name, 'embeddings'), untyped: true },
});
const INVOKE = invoked('invoke');
const INVOKE_STREAM = invoked('invoke_stream');

/** Before it may stand up to four segments, for gateways that serve this API under a path. */
const MODEL_PATH =
  /^(?:\/(?!model\/)[A-Za-z0-9._~-]+){0,4}\/model\/([^/]+)\/(converse|converse-stream|invoke|invoke-with-response-stream|count-tokens)$/;

export function recognise({ method, path }: RequestHead): Endpoint | undefined {
  if (method !== 'POST') return undefined;
  const found = MODEL_PATH.exec(path);
  if (!found) return undefined;
  switch (found[2]) {
    case 'converse':
      return CONVERSE;
    case 'converse-stream':
      return CONVERSE_STREAM;
    case 'count-tokens':
      return COUNT_TOKENS;
    case 'invoke':
      return INVOKE[familyOf(modelIn(path)).operation];
    default:
      return INVOKE_STREAM[familyOf(modelIn(path)).operation];
  }
}

export const streams = ({ name }: Endpoint): boolean => name.endsWith('_stream');

/** As asked for, decoded: a model's id, one with a region before it, or an ARN. The path is canonical UTF-8. */
export const modelIn = (path: string): string => decodeURIComponent(MODEL_PATH.exec(path)?.[1] ?? '');
