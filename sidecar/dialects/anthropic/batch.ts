// A Message Batch: its requests stand in its body, each with the parameters of a message of its own.
// Source: platform.claude.com/docs/en/api/creating-message-batches.

import { Refusal } from '../../../contract/refusals.ts';
import type { BatchedRequest, Description, Endpoint, Json, JsonObject } from '../dialect.ts';
import { badField, isObject, refuseCaseVariants, requiredArray } from '../fields.ts';
import { nothingAsked } from '../nothing-asked.ts';
import { soleModel } from '../sole-model.ts';

/** The provider's own limit. */
const REQUESTS_MAX = 100_000;
const JUDGED = new Set(['requests']);
const JUDGED_OF_REQUEST = new Set(['custom_id', 'params']);

export function describeBatch(
  endpoint: Endpoint,
  body: JsonObject,
  describeMessage: (params: JsonObject, bytes: number) => Description,
): Description {
  refuseCaseVariants(body, JUDGED);
  const requests = requiredArray(body, 'requests');
  if (requests.length === 0 || requests.length > REQUESTS_MAX)
    throw badField('requests', `a list of 1 to ${REQUESTS_MAX} requests`);
  const described = requests.map((request, index) => describeRequest(request, index + 1, describeMessage));
  return {
    ...nothingAsked(endpoint),
    model: soleModel(described),
    requests: described,
    outlivesAnswer: true,
  };
}

function describeRequest(
  request: Json,
  number: number,
  describeMessage: (params: JsonObject, bytes: number) => Description,
): BatchedRequest {
  try {
    if (!isObject(request)) throw badField('requests', 'a list of objects');
    refuseCaseVariants(request, JUDGED_OF_REQUEST);
    const { params } = request;
    if (!isObject(params)) throw badField('params', 'an object');
    // Written anew without blanks: its text has no fewer bytes than tokens all the same.
    const bytes = Buffer.byteLength(JSON.stringify(params));
    return { description: describeMessage(params, bytes), body: params };
  } catch (failure) {
    if (!(failure instanceof Refusal)) throw failure;
    throw new Refusal(failure.code, `Request ${number} of the batch: ${failure.message}`, failure.detail);
  }
}
