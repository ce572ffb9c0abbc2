// Converse: one request format for every model. `additionalModelRequestFields` is merged into the model's own request
// behind it, so nothing there may say anew what was judged: the text, the limit, how many answers.
// Source: docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html

import { bareModel } from '../../../contract/rules/bare-model.ts';
import { describeTools as describeAnthropicTools } from '../anthropic/tools.ts';
import type { Description, JsonObject } from '../dialect.ts';
import {
  badField,
  foldedNames,
  isObject,
  optionalArray,
  optionalCount,
  optionalObject,
  refuseOtherCase,
} from '../fields.ts';
import { measureInput } from './input.ts';
import { describeTools, SYSTEM_TOOLS_SENTENCE } from './tools.ts';

const JUDGED = foldedNames([
  ...['messages', 'system', 'inferenceConfig', 'toolConfig', 'guardrailConfig', 'promptVariables'],
  ...['additionalModelRequestFields', 'performanceConfig', 'serviceTier', 'outputConfig'],
]);
const JUDGED_LIMITS = foldedNames(['maxTokens']);

export function describeConverse(
  body: JsonObject,
  bodyBytes: number,
  model: string,
): Omit<Partial<Description>, 'model'> {
  refuseOtherCase(body, JUDGED);
  const inference = optionalObject(body, 'inferenceConfig') ?? {};
  refuseOtherCase(inference, JUDGED_LIMITS);
  const outputTokensMax = optionalCount(inference, 'maxTokens', 1);
  const tools = describeTools(optionalArray(optionalObject(body, 'toolConfig') ?? {}, 'tools'));
  const more = describeAdditional(
    optionalObject(body, 'additionalModelRequestFields') ?? {},
    outputTokensMax,
  );
  const blocks = [...optionalArray(body, 'system'), ...optionalArray(body, 'messages')];
  const input = measureInput(blocks, bodyBytes, bareModel(model));
  const hostedTools = [...tools.hosted, ...more.hosted, ...input.hosted];
  return {
    inputTokensMax:
      input.byReference || hostedTools.length > 0
        ? 'context_window'
        : input.tokens + tools.tokens + more.tokens,
    outputTokensMax,
    outputTokensBesides: more.outputTokensBesides,
    toolsOffered: [...tools.offered, ...more.offered],
    hostedTools,
    hostedArgs: [...tools.hostedArgs, ...more.hostedArgs, ...input.hostedArgs],
    unmeterable:
      (tools.hosted.length > 0 ? SYSTEM_TOOLS_SENTENCE : null) ?? more.unmeterable ?? input.unmeterable,
  };
}

/** Other names of the text, of the limit and of the number of answers, by the models' own request formats. */
const SAID_ELSEWHERE = [
  ...['model', 'modelId', 'messages', 'system', 'prompt', 'inputText', 'message', 'chat_history', 'stream'],
  ...['max_tokens', 'max_gen_len', 'maxTokens', 'max_new_tokens', 'maxTokenCount', 'max_completion_tokens'],
  ...['max_tokens_to_sample', 'max_output_tokens', 'n', 'num_generations', 'numResults', 'best_of'],
  ...['textGenerationConfig', 'service_tier', 'container', 'fallbacks', 'compaction', 'toolConfig'],
];

interface Additional {
  readonly offered: readonly string[];
  readonly hosted: readonly string[];
  readonly hostedArgs: readonly JsonObject[];
  readonly tokens: number;
  readonly outputTokensBesides: number;
  readonly unmeterable: string | null;
}

function describeAdditional(fields: JsonObject, outputTokensMax: number | null): Additional {
  refuseSaidElsewhere(fields, 'additionalModelRequestFields');
  if (isObject(fields.inferenceConfig)) {
    refuseSaidElsewhere(fields.inferenceConfig, 'additionalModelRequestFields.inferenceConfig');
  }
  const servers = optionalArray(fields, 'mcp_servers').filter(isObject);
  const tools = describeAnthropicTools(
    optionalArray(fields, 'tools'),
    servers.map((args) => ({ type: 'mcp', args })),
  );
  return {
    offered: tools.offered,
    hosted: tools.hosted,
    hostedArgs: tools.hostedArgs,
    tokens: tools.tokens,
    outputTokensBesides: thoughtBesides(fields, outputTokensMax ?? 0),
    unmeterable: limitless(fields) ?? compacts(fields) ?? tools.unmeterable ?? unbounded(tools.hosted),
  };
}

function refuseSaidElsewhere(fields: JsonObject, where: string): void {
  const said = SAID_ELSEWHERE.find((name) => fields[name] !== undefined);
  if (said !== undefined) throw badField(`${where}.${said}`, 'left out: it could contradict what is judged');
}

/** Thought within the limit is output like any; a budget beyond it, as between tools' uses, comes on top. */
function thoughtBesides(fields: JsonObject, outputTokensMax: number): number {
  const budgets = [fields.thinking, fields.reasoning_config].map((of) =>
    isObject(of) ? (optionalCount(of, 'budget_tokens') ?? 0) : 0,
  );
  const budget = Math.max(...budgets);
  return budget >= outputTokensMax ? budget : 0;
}

/** Nova takes no limit where it thinks hardest. */
export const limitless = ({ reasoningConfig }: JsonObject): string | null =>
  isObject(reasoningConfig) && reasoningConfig.maxReasoningEffort === 'high'
    ? 'with reasoning at effort high the model takes no output limit'
    : null;

const compacts = (fields: JsonObject): string | null =>
  /compact/.test(JSON.stringify(fields.context_management ?? null))
    ? 'a compaction at the provider reads and writes tokens that the request does not bound'
    : null;

const unbounded = (hosted: readonly string[]): string | null =>
  hosted.length > 0 ? `the provider may run ${hosted.join(', ')} any number of times` : null;
