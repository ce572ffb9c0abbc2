// What a request to Gemini says, and the most it could cost. Fields as in ai.google.dev/api/generate-content and Vertex
// AI's reference of the same method; what Vertex alone knows is judged at both. Thinking counts against
// `maxOutputTokens`, so that the one limit bounds all output.

import { describe as describeMessages } from '../anthropic/describe.ts';
import type { Description, Endpoint, Json, JsonObject, RequestHead } from '../dialect.ts';
import { badField, identifier, isObject, optionalCount, optionalObject, optionalString } from '../fields.ts';
import { nothingAsked } from '../nothing-asked.ts';
import { hasOnly } from '../syntax.ts';
import { listOf, measureInput } from './input.ts';
import { isMessages, isStreamed, modelOf } from './recognise.ts';
import { fields, judged } from './spelling.ts';
import { describeTools } from './tools.ts';

const REQUEST = fields(`model contents systemInstruction tools generationConfig cachedContent serviceTier
  continuationToken`);
const CONFIG = fields(`maxOutputTokens candidateCount responseModalities responseFormat modelSelectionConfig
  routingConfig`);
const EMBEDDING = fields('model content requests');
const FORMAT = fields('type text audio image video');

export function describe(
  endpoint: Endpoint,
  head: RequestHead,
  body: JsonObject,
  bytes: Buffer,
): Description {
  if (endpoint.billed === 'free') return { ...nothingAsked(endpoint), rewritten: endpoint.name === 'models' };
  const model = identifier(modelOf(head.path) ?? undefined, 'model');
  if (isMessages(endpoint)) return describeClaude(endpoint, head, body, bytes, model);
  if (endpoint.operation === 'embeddings') return describeEmbedding(endpoint, body, bytes.length, model);
  return describeGeneration(endpoint, head, body, bytes.length, model);
}

/** Members, in Google's own spelling, that bring no prompt of their own. */
const PLAIN = new Set([
  'contents',
  'systemInstruction',
  'generationConfig',
  'safetySettings',
  'model',
  'labels',
]);
const PLAIN_CONFIG = new Set(
  `maxOutputTokens temperature topP topK candidateCount stopSequences seed presencePenalty frequencyPenalty`.split(
    /\s+/,
  ),
);

function describeGeneration(
  endpoint: Endpoint,
  head: RequestHead,
  body: JsonObject,
  bodyBytes: number,
  model: string,
): Description {
  const request = judged(body, REQUEST);
  mustName(model, request.model);
  const config = judged(optionalObject(request, 'generationConfig') ?? {}, CONFIG);
  refuseRerouting(config);
  const tools = describeTools(listOf(request.tools));
  const contents = [...listOf(request.contents), ...listOf(request.systemInstruction)];
  const plain =
    hasOnly(body, PLAIN) && hasOnly(optionalObject(request, 'generationConfig') ?? {}, PLAIN_CONFIG);
  const input = measureInput(contents, bodyBytes, plain);
  const elsewhere = (request.cachedContent ?? request.continuationToken ?? null) !== null;
  const byReference = input.byReference || elsewhere || tools.hosted.length > 0;
  return {
    ...nothingAsked(endpoint),
    model,
    stream: isStreamed(endpoint),
    inputTokensMax: byReference ? 'context_window' : input.tokens + tools.tokens,
    outputTokensMax: optionalCount(config, 'maxOutputTokens'),
    choices: optionalCount(config, 'candidateCount', 1) ?? 1,
    toolsOffered: tools.offered,
    hostedTools: tools.hosted,
    hostedArgs: tools.hostedArgs,
    hostedUsesMax: tools.usesMax,
    serviceTier: serviceTier(request, head),
    unmeterable: outputSentence(config) ?? tools.unmeterable,
  };
}

/** An embedding of more than text has rates by what it holds; a batch may be many windows long. */
function describeEmbedding(
  endpoint: Endpoint,
  body: JsonObject,
  bodyBytes: number,
  model: string,
): Description {
  const asked = judged(body, EMBEDDING);
  const requests = listOf(asked.requests).map((request) => {
    if (!isObject(request)) throw badField('requests', 'a list of objects');
    return judged(request, EMBEDDING);
  });
  for (const request of [asked, ...requests]) mustName(model, request.model);
  const contents = [asked, ...requests].flatMap(({ content }) => listOf(content));
  const input = measureInput(contents, bodyBytes, false);
  return {
    ...nothingAsked(endpoint),
    model,
    inputTokensMax: input.tokens,
    unmeterable:
      input.media === 0 ? null : 'pictures, sound and film to embed have rates that are not metered here',
  };
}

/** The body of Anthropic's API but for the model, which Vertex takes from the path. */
function describeClaude(
  endpoint: Endpoint,
  head: RequestHead,
  body: JsonObject,
  bytes: Buffer,
  model: string,
): Description {
  mustName(model, body.model);
  return describeMessages(endpoint, head, { ...body, model }, bytes);
}

/** The body may name the model again, as `models/x` or `publishers/google/models/x`; never another. */
function mustName(model: string, named: Json | undefined): void {
  if (named === undefined || named === null) return;
  if (typeof named !== 'string' || named.slice(named.lastIndexOf('/') + 1) !== model) {
    throw badField('model', `left out, or ${model} as the path has it`);
  }
}

function refuseRerouting(config: JsonObject): void {
  for (const field of ['modelSelectionConfig', 'routingConfig']) {
    if ((config[field] ?? null) !== null)
      throw badField(field, 'left out: it would reach a model that no rule judged');
  }
}

const TIER_HEADERS = ['x-vertex-ai-llm-shared-request-type', 'x-vertex-ai-llm-request-type'];
const ORDINARY = new Set(['standard', 'unspecified', 'shared']);

/** The Gemini API takes a tier in the body, Vertex in a header. */
function serviceTier(request: JsonObject, { headers }: RequestHead): string | null {
  const asked = [optionalString(request, 'serviceTier'), ...TIER_HEADERS.map((name) => headers[name])];
  const tiers = asked.flatMap((tier) => (tier == null ? [] : [String(tier).toLowerCase()]));
  return tiers.map((tier) => tier.replace(/^service_tier_/, '')).find((tier) => !ORDINARY.has(tier)) ?? null;
}

function outputSentence(config: JsonObject): string | null {
  const modalities = listOf(config.responseModalities);
  const speaks = modalities.some((modality) => !/^(?:text|modality_unspecified)$/i.test(String(modality)));
  const shapes = listOf(config.responseFormat).some((format) => !isObject(format) || !isText(format));
  if (!speaks && !shapes) return null;
  return 'sound and pictures as output have rates of their own that are not metered here';
}

function isText(format: JsonObject): boolean {
  const { type, audio, image, video } = judged(format, FORMAT);
  const named = type == null || /^text$/i.test(String(type));
  return named && audio == null && image == null && video == null;
}
