// Batches of OpenAI's: an uploaded file holds the requests, one JSON object a line, and a later call submits it by its
// id. Each line is described when it is uploaded, for nobody sees it again; the submission only names the file.
// Source: platform.openai.com/docs/api-reference/batch, /files; Azure's are the same under `/openai`.

import { Refusal } from '../../../contract/refusals.ts';
import { parseStrict, StrictJsonError } from '../../../kit/strict-json.ts';
import type {
  AnswerView,
  BatchedRequest,
  Description,
  Endpoint,
  JsonObject,
  RequestHead,
  Rewriter,
} from '../dialect.ts';
import { writesOutput } from '../dialect.ts';
import { badField, identifier, isObject, refuseCaseVariants } from '../fields.ts';
import { readMultipart } from '../multipart.ts';
import { nothingAsked } from '../nothing-asked.ts';
import { rewriteWhole } from '../rewrite-whole.ts';
import { soleModel } from '../sole-model.ts';
import { deploymentOf, recognise } from './recognise.ts';

type Describe = (endpoint: Endpoint, head: RequestHead, body: JsonObject, bytes: Buffer) => Description;

/** The provider's own limit. */
const REQUESTS_MAX = 50_000;
const LINE_FEED = 0x0a;

const UPLOAD_FIELDS = new Set(['purpose', 'file', 'expires_after[anchor]', 'expires_after[seconds]']);
/** Input of later calls, each of which holds a whole context window for it. */
const HARMLESS_PURPOSES = new Set(['user_data', 'vision']);
const CLOSED_PURPOSES: Readonly<Record<string, string>> = {
  'fine-tune': 'training is billed by the hour and by the token, which no answer reports',
  assistants:
    'what assistants and vector stores do with a file is billed by storage and by calls of their own',
  evals: 'an evaluation makes calls of models that no rule judges',
};

export function describeUpload(
  endpoint: Endpoint,
  head: RequestHead,
  bytes: Buffer,
  describe: Describe,
): Description {
  if (head.headers['content-encoding'] !== undefined && head.headers['content-encoding'] !== 'identity')
    throw badField('content-encoding', 'left out: a compressed form cannot be judged');
  const parts = new Map(
    readMultipart(String(head.headers['content-type'] ?? ''), bytes).map((part) => [part.name, part]),
  );
  for (const name of parts.keys())
    if (!UPLOAD_FIELDS.has(name)) throw badField(name.slice(0, 64), 'left out');
  const purpose = parts.get('purpose')?.body.toString() ?? '';
  const file = parts.get('file')?.body;
  if (!file) throw badField('file', 'given');
  if (purpose === 'batch') return describeFile(endpoint, readRequests(file, describe));
  if (HARMLESS_PURPOSES.has(purpose)) return nothingAsked(endpoint);
  const why = Object.hasOwn(CLOSED_PURPOSES, purpose) ? `: ${CLOSED_PURPOSES[purpose]!}` : '';
  throw badField('purpose', `batch, user_data or vision${why}`);
}

function describeFile(endpoint: Endpoint, requests: readonly BatchedRequest[]): Description {
  const [first] = requests;
  if (!first) throw badField('file', 'a list of requests, one to a line');
  const name = first.description.endpoint.name;
  if (requests.some(({ description }) => description.endpoint.name !== name))
    throw badField('url', 'the same in every request of a file');
  const unlimited = requests.findIndex(
    ({ description }) => writesOutput(description.endpoint) && description.outputTokensMax === null,
  );
  const unmeterable =
    unlimited < 0
      ? null
      : `request ${unlimited + 1} of the file names no output limit, and none can be written into a file`;
  return { ...nothingAsked(endpoint), model: soleModel(requests), requests, unmeterable, rewritten: true };
}

function readRequests(file: Buffer, describe: Describe): BatchedRequest[] {
  const requests: BatchedRequest[] = [];
  let start = 0;
  while (start < file.length) {
    const feed = file.indexOf(LINE_FEED, start);
    const end = feed < 0 ? file.length : feed;
    if (requests.length === REQUESTS_MAX) throw badField('file', `at most ${REQUESTS_MAX} requests`);
    requests.push(readRequest(file.subarray(start, end), requests.length + 1, describe));
    start = end + 1;
  }
  return requests;
}

const JUDGED = new Set(['custom_id', 'method', 'url', 'body']);

function readRequest(line: Buffer, number: number, describe: Describe): BatchedRequest {
  try {
    const request = parseStrict(line) as JsonObject;
    if (!isObject(request)) throw badField('file', 'one JSON object to a line');
    refuseCaseVariants(request, JUDGED);
    if (request.method !== 'POST') throw badField('method', 'POST');
    const head: RequestHead = {
      method: 'POST',
      path: identifier(request.url, 'url'),
      query: '',
      headers: {},
    };
    const endpoint = deploymentOf(head.path) === null ? recognise(head) : undefined;
    if (endpoint?.operation == null) throw badField('url', 'an endpoint whose use is metered by tokens');
    if (!isObject(request.body)) throw badField('body', 'an object');
    return { description: describe(endpoint, head, request.body, line), body: request.body };
  } catch (failure) {
    if (failure instanceof StrictJsonError)
      throw new Refusal('bad_request', `Line ${number} of the file cannot be judged. ${failure.message}`, {
        reason: failure.reason,
      });
    if (!(failure instanceof Refusal)) throw failure;
    throw new Refusal(failure.code, `Line ${number} of the file: ${failure.message}`, failure.detail);
  }
}

const JUDGED_OF_BATCH = new Set(['input_file_id', 'endpoint', 'completion_window', 'metadata']);

export function describeBatch(endpoint: Endpoint, body: JsonObject): Description {
  refuseCaseVariants(body, JUDGED_OF_BATCH);
  const id = identifier(body.input_file_id, 'input_file_id');
  const path = identifier(body.endpoint, 'endpoint');
  const ofRequests = recognise({ method: 'POST', path, query: '', headers: {} });
  if (ofRequests?.operation == null) throw badField('endpoint', 'one whose use is metered by tokens');
  return {
    ...nothingAsked(endpoint),
    inputFile: { id, endpoint: ofRequests.name },
    outlivesAnswer: true,
  };
}

/** The answer passes as it came; the id it gives the file is what the requests are remembered by. */
export function keptFile({ status, keepFile }: AnswerView): Rewriter | null {
  if (status !== 200) return null;
  return rewriteWhole((answer) => {
    if (typeof answer.id === 'string') keepFile(answer.id);
    return answer;
  });
}
