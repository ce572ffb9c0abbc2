// InvokeModel: the body is the model maker's own format, and the model is named by the path alone. What is a limit and
// what is text differs by family; a family that is not known here cannot be bounded.
// Source: docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html

import { describe as describeMessages } from '../anthropic/describe.ts';
import { MESSAGES } from '../anthropic/recognise.ts';
import type { Description, JsonObject, RequestHead } from '../dialect.ts';
import {
  badField,
  foldedNames,
  optionalArray,
  optionalCount,
  optionalObject,
  refuseOtherCase,
} from '../fields.ts';
import { describeConverse, limitless } from './describe-converse.ts';
import { type FamilyName, familyOf, markedFamily } from './families.ts';

const JUDGED = foldedNames(['prompt', 'inputText', 'textGenerationConfig', 'images']);

type Asks = Omit<Partial<Description>, 'model'>;
type Describe = (body: JsonObject, bodyBytes: number, model: string, head: RequestHead) => Asks;

const DESCRIBERS: Readonly<Record<FamilyName, Describe>> = {
  anthropic: describeAnthropic,
  nova: describeNova,
  llama: (body, bodyBytes) => completion(body, bodyBytes, body, 'max_gen_len'),
  mistral: describeMistral,
  titan_text: (body, bodyBytes) =>
    completion(body, bodyBytes, optionalObject(body, 'textGenerationConfig') ?? {}, 'maxTokenCount'),
  titan_embed: (body, bodyBytes) => embedding(bodyBytes, body.inputImage !== undefined),
  cohere_embed: (body, bodyBytes) =>
    embedding(bodyBytes, body.images !== undefined || body.inputs !== undefined),
  unknown: () => ({
    outputTokensMax: null,
    unmeterable:
      'the format of this model is not read in an invoke: use converse, or a model named by its own id',
  }),
};

export function describeInvoke(
  { model }: Description,
  head: RequestHead,
  body: JsonObject,
  bodyBytes: number,
): Asks {
  for (const elsewhere of ['model', 'modelId', 'stream']) {
    if (body[elsewhere] !== undefined) throw badField(elsewhere, 'left out: the path says it');
  }
  return DESCRIBERS[familyFor(model ?? '', body)](body, bodyBytes, model ?? '', head);
}

/** By the model's id; else by the mark in the body, which then may hold nothing of another family's. */
export function familyFor(model: string, body: JsonObject): FamilyName {
  const { name } = familyOf(model);
  if (name !== 'unknown') return name;
  const marked = markedFamily(body).name;
  if (marked === 'unknown') return marked;
  for (const foreign of ['prompt', 'inputText', 'max_gen_len', 'textGenerationConfig']) {
    if (body[foreign] !== undefined) throw badField(foreign, `left out of a body that is ${marked}'s`);
  }
  return marked;
}

function describeAnthropic(body: JsonObject, bodyBytes: number, model: string, head: RequestHead): Asks {
  const asked = describeMessages(MESSAGES, head, { ...body, model }, { length: bodyBytes } as Buffer);
  const { endpoint: _endpoint, stream: _stream, serviceTier, ...asks } = asked;
  return serviceTier === null ? asks : { ...asks, serviceTier };
}

/** Converse's own format, with the limit under an older name too. */
function describeNova(body: JsonObject, bodyBytes: number, model: string): Asks {
  const inference = optionalObject(body, 'inferenceConfig') ?? {};
  const asked = describeConverse(body, bodyBytes, model);
  const older = optionalCount(inference, 'max_new_tokens', 1);
  const limit = asked.outputTokensMax ?? null;
  return {
    ...asked,
    outputTokensMax: older === null ? limit : Math.max(older, limit ?? 0),
    unmeterable: limitless(inference) ?? asked.unmeterable ?? null,
  };
}

function describeMistral(body: JsonObject, bodyBytes: number): Asks {
  const asks = completion(body, bodyBytes, body, 'max_tokens');
  const chats = body.messages !== undefined || optionalArray(body, 'tools').length > 0;
  return chats ? { ...asks, unmeterable: 'conversations with this model are read in converse alone' } : asks;
}

function completion(body: JsonObject, bodyBytes: number, limits: JsonObject, field: string): Asks {
  refuseOtherCase(body, JUDGED);
  refuseOtherCase(limits, foldedNames([field]));
  const shows = optionalArray(body, 'images').length > 0;
  return {
    inputTokensMax: shows ? 'context_window' : bodyBytes,
    outputTokensMax: optionalCount(limits, field, 1),
  };
}

const embedding = (bodyBytes: number, shows: boolean): Asks => ({
  inputTokensMax: bodyBytes,
  unmeterable: shows ? 'pictures to embed have a price of their own, which is not metered here' : null,
});
