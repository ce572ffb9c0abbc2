// What a request to Bedrock says, and the most it could cost. The model stands in the path, a tier in the body or in
// headers. What is billed beside the tokens (guardrails, tools at the provider) or brings what no one here can see (a
// managed prompt) can't be metered, and says so.

import type { Description, Endpoint, JsonObject, RequestHead } from '../dialect.ts';
import { identifier, optionalObject, optionalString } from '../fields.ts';
import { nothingAsked } from '../nothing-asked.ts';
import { describeConverse } from './describe-converse.ts';
import { describeInvoke } from './describe-invoke.ts';
import { modelIn, streams } from './recognise.ts';
import { tierOf } from './tier.ts';

export function describe(
  endpoint: Endpoint,
  head: RequestHead,
  body: JsonObject,
  { length: bodyBytes }: Buffer,
): Description {
  if (endpoint.billed === 'free') return nothingAsked(endpoint);
  const model = identifier(modelIn(head.path), 'modelId');
  const invoked = endpoint.name.startsWith('invoke');
  const shared = { ...nothingAsked(endpoint), model, stream: streams(endpoint) };
  const asks = invoked
    ? describeInvoke(shared, head, body, bodyBytes)
    : describeConverse(body, bodyBytes, model);
  const guarded = invoked ? isGuarded(head, body) : (body.guardrailConfig ?? null) !== null;
  return {
    ...shared,
    serviceTier: invoked ? tierOfHead(head) : tierOfBody(body),
    ...asks,
    unmeterable: managedPrompt(model) ?? (guarded ? GUARDRAIL : null) ?? asks.unmeterable ?? null,
  };
}

const GUARDRAIL = 'a guardrail is billed by the text it reads, which is not metered here';

const managedPrompt = (model: string): string | null =>
  /^arn:[^/]+:prompt\//.test(model)
    ? 'a managed prompt brings a model, tools and text that are not seen here'
    : null;

const isGuarded = ({ headers }: RequestHead, body: JsonObject): boolean =>
  headers['x-amzn-bedrock-guardrailidentifier'] !== undefined ||
  (body['amazon-bedrock-guardrailConfig'] ?? null) !== null;

function tierOfBody(body: JsonObject): string | null {
  const performance = optionalObject(body, 'performanceConfig');
  const tier = optionalObject(body, 'serviceTier');
  return tierOf(performance && optionalString(performance, 'latency'), tier && optionalString(tier, 'type'));
}

const tierOfHead = ({ headers }: RequestHead): string | null =>
  tierOf(
    one(headers['x-amzn-bedrock-performanceconfig-latency']),
    one(headers['x-amzn-bedrock-service-tier']),
  );

const one = (value: string | string[] | undefined): string | null =>
  value === undefined ? null : String(value);
