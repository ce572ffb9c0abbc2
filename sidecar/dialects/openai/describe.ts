// What a request to an OpenAI-speaking upstream says, and the most it could cost. Fields and types as in the API
// reference (platform.openai.com/docs/api-reference: chat/create, responses/create, completions/create, embeddings/create).

import type { Description, Endpoint, Json, JsonObject, RequestHead } from '../dialect.ts';
import {
  badField,
  identifier,
  isObject,
  optionalArray,
  optionalBoolean,
  optionalCount,
  optionalObject,
  optionalString,
  refuseCaseVariants,
  requiredArray,
} from '../fields.ts';
import { nothingAsked } from '../nothing-asked.ts';
import { describeBatch, describeUpload } from './batch.ts';
import { measureInput } from './input.ts';
import { deploymentOf } from './recognise.ts';
import { SERVERS_OWN, withServersOwn } from './servers-own.ts';
import { describeTools } from './tools.ts';

const JUDGED = new Set(
  `model messages input prompt stream stream_options n best_of max_tokens max_completion_tokens max_output_tokens
   max_tool_calls tools functions service_tier background modalities audio prediction web_search_options
   previous_response_id conversation context_management ${SERVERS_OWN.join(' ')}`.split(/\s+/),
);

/** What routers in front of other providers (OpenRouter, LiteLLM) obey instead of `model`, out of a rule's sight. */
const REROUTING = ['models', 'fallbacks', 'preset', 'api_base', 'base_url', 'custom_llm_provider'];

export function describe(
  endpoint: Endpoint,
  head: RequestHead,
  body: JsonObject,
  bytes: Buffer,
): Description {
  if (endpoint.name === 'file_upload') return describeUpload(endpoint, head, bytes, describe);
  if (endpoint.billed === 'free') return { ...nothingAsked(endpoint), rewritten: endpoint.name === 'models' };
  if (endpoint.name === 'batch') return describeBatch(endpoint, body);
  const bodyBytes = bytes.length;
  refuseCaseVariants(body, JUDGED);
  for (const field of REROUTING) {
    if (body[field] !== undefined)
      throw badField(field, 'left out: it would reach a model that no rule judged');
  }
  const shared = {
    ...nothingAsked(endpoint),
    model: deploymentOf(head.path) ?? identifier(body.model, 'model'),
    serviceTier: serviceTier(body),
  };
  if (endpoint.name === 'embeddings') return { ...shared, inputTokensMax: bodyBytes };
  const stream = optionalBoolean(body, 'stream');
  switch (endpoint.name) {
    case 'chat':
      return withServersOwn(describeChat({ ...shared, stream }, body, bodyBytes), body);
    case 'responses':
      return withServersOwn(describeResponses({ ...shared, stream }, body, bodyBytes), body);
    default:
      return withServersOwn(describeCompletions({ ...shared, stream }, body, bodyBytes), body);
  }
}

function describeChat(shared: Description, body: JsonObject, bodyBytes: number): Description {
  const tools = describeTools([...optionalArray(body, 'tools'), ...legacyFunctions(body)]);
  const search = optionalObject(body, 'web_search_options');
  const hostedTools = search ? [...tools.hosted, 'web_search'] : tools.hosted;
  const input = measureInput(requiredArray(body, 'messages'), shared.model ?? '', bodyBytes);
  return {
    ...shared,
    inputTokensMax:
      hostedTools.length > 0 || input.byReference ? 'context_window' : input.tokens + tools.tokens,
    outputTokensMax: larger(optionalCount(body, 'max_completion_tokens'), optionalCount(body, 'max_tokens')),
    outputTokensBesides: predictionBytes(body),
    choices: optionalCount(body, 'n', 1) ?? 1,
    toolsOffered: tools.offered,
    hostedTools,
    hostedArgs: search ? [...tools.hostedArgs, search] : tools.hostedArgs,
    hostedUsesMax: search ? 1 : 0,
    unmeterable: audioSentence(body, input.audio) ?? tools.unmeterable ?? limitlessSentence(tools.hosted),
    mustAskForUsage: mustAskForUsage(shared.stream, body),
  };
}

function describeResponses(shared: Description, body: JsonObject, bodyBytes: number): Description {
  const prompt = optionalObject(body, 'prompt');
  const input = typeof body.input === 'string' ? [] : optionalArray(body, 'input');
  const tools = describeTools([...optionalArray(body, 'tools'), ...toolsAmongInput(input)]);
  // A stored prompt brings tools of its own, which no rule could see: it must be allowed by name.
  const hostedTools = prompt ? [...tools.hosted, 'prompt'] : tools.hosted;
  const measured = measureInput(input, shared.model ?? '', bodyBytes);
  const uses = hostedTools.length > 0 ? optionalCount(body, 'max_tool_calls') : 0;
  const byReference = measured.byReference || hostedTools.length > 0 || continues(body);
  return {
    ...shared,
    inputTokensMax: byReference ? 'context_window' : measured.tokens + tools.tokens,
    outputTokensMax: optionalCount(body, 'max_output_tokens'),
    toolsOffered: tools.offered,
    hostedTools,
    hostedArgs: prompt ? [...tools.hostedArgs, prompt] : tools.hostedArgs,
    // A compaction reads the whole context once more.
    hostedUsesMax: (uses ?? 0) + (optionalArray(body, 'context_management').length > 0 ? 1 : 0),
    outlivesAnswer: optionalBoolean(body, 'background'),
    unmeterable:
      audioSentence(body, measured.audio) ??
      tools.unmeterable ??
      (uses === null ? limitlessSentence(hostedTools) : null),
  };
}

function describeCompletions(shared: Description, body: JsonObject, bodyBytes: number): Description {
  const { prompt } = body;
  const prompts = Array.isArray(prompt) && typeof prompt[0] !== 'number' ? Math.max(prompt.length, 1) : 1;
  const each = Math.max(optionalCount(body, 'n', 1) ?? 1, optionalCount(body, 'best_of', 1) ?? 1);
  return {
    ...shared,
    inputTokensMax: bodyBytes,
    outputTokensMax: optionalCount(body, 'max_tokens'),
    choices: each * prompts,
    mustAskForUsage: mustAskForUsage(shared.stream, body),
  };
}

/** `auto` follows a setting of the project that cannot be seen from here; the answer names the tier that served it. */
function serviceTier(body: JsonObject): string | null {
  const tier = optionalString(body, 'service_tier');
  return tier === 'auto' || tier === 'default' ? null : tier;
}

function mustAskForUsage(stream: boolean, body: JsonObject): boolean {
  const options = optionalObject(body, 'stream_options');
  if (options) refuseCaseVariants(options, new Set(['include_usage']));
  return stream && !(options && optionalBoolean(options, 'include_usage'));
}

/** Stored input of any length. */
const continues = (body: JsonObject): boolean =>
  optionalString(body, 'previous_response_id') !== null || (body.conversation ?? null) !== null;

const legacyFunctions = (body: JsonObject): JsonObject[] =>
  optionalArray(body, 'functions').map((of) => ({ type: 'function', function: of }));

/** Tools can also be added or found later in a conversation: `additional_tools`, `tool_search_output`. */
const toolsAmongInput = (input: readonly Json[]): Json[] =>
  input.flatMap((item) => (isObject(item) && Array.isArray(item.tools) ? item.tools : []));

/** Tokens of a prediction that the model rejects are billed as output. */
function predictionBytes(body: JsonObject): number {
  const prediction = optionalObject(body, 'prediction');
  return prediction ? Buffer.byteLength(JSON.stringify(prediction)) : 0;
}

function audioSentence(body: JsonObject, audioInput: boolean): string | null {
  const speaks = optionalArray(body, 'modalities').some((modality) => modality !== 'text');
  if (!audioInput && !speaks && (body.audio ?? null) === null) return null;
  return 'audio and images as output, and audio as input, have rates of their own that are not metered here';
}

const limitlessSentence = (hosted: readonly string[]): string | null =>
  hosted.length === 0
    ? null
    : `the provider may run ${hosted.join(', ')} any number of times; set max_tool_calls`;

const larger = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.max(a, b);
