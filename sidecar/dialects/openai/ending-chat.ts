// Ends a stream of chat or legacy completions as its provider does at an output limit: every open choice gets its finish
// reason, then comes the usage where the agent asked for it, then `[DONE]`.
// (platform.openai.com/docs/api-reference/chat-streaming)

import type { Description, Json, JsonObject } from '../dialect.ts';
import { isObject } from '../fields.ts';
import type { Usage } from '../metered.ts';

export interface ChatEnding {
  take(event: JsonObject, choices: readonly Json[]): void;
  /** Indexes of the choices that began and have no finish reason. */
  openChoices(): readonly number[];
  /** The last events' bytes as text. `usage` is what was reported so far. */
  events(openChoices: readonly number[], usage: Usage | null, outputTokens: number): string;
}

/** What all chunks of one stream have alike. */
const ALIKE = ['id', 'object', 'created', 'model', 'system_fingerprint', 'service_tier'];

export function readChatEnding(description: Description): ChatEnding {
  const legacy = description.endpoint.name === 'completions';
  const asksForUsage = description.stream && !description.mustAskForUsage;
  const open = new Set<number>();
  let alike: JsonObject | null = null;

  const chunk = (rest: JsonObject): string => `data: ${JSON.stringify({ ...alike, ...rest })}\n\n`;
  const lastOf = (index: number): JsonObject => ({
    ...(legacy ? { text: '' } : { delta: {} }),
    index,
    logprobs: null,
    finish_reason: 'length',
  });

  return {
    take(event, choices) {
      for (const choice of choices) {
        if (!isObject(choice)) continue;
        const index = Number(choice.index ?? 0);
        if (typeof choice.finish_reason === 'string') open.delete(index);
        else open.add(index);
      }
      if (alike === null && choices.length > 0) alike = headOf(event);
    },
    openChoices: () => [...open],
    events(openChoices, usage, outputTokens) {
      const usageLater = asksForUsage ? { usage: null } : {};
      const last = openChoices.map((index) => chunk({ choices: [lastOf(index)], ...usageLater }));
      const counted = asksForUsage
        ? [chunk({ choices: [], usage: usageOf(description, usage, outputTokens) })]
        : [];
      return [...last, ...counted, 'data: [DONE]\n\n'].join('');
    },
  };
}

function headOf(event: JsonObject): JsonObject {
  const head: JsonObject = {};
  for (const name of ALIKE) if (event[name] !== undefined) head[name] = event[name];
  return head;
}

/** Input as reported or bounded; null, as in all other chunks, where it is neither. */
function usageOf(
  { inputTokensMax }: Description,
  reported: Usage | null,
  outputTokens: number,
): JsonObject | null {
  const input = reported
    ? reported.uncachedInputTokens + reported.cachedInputTokens + reported.cacheWriteTokens
    : inputTokensMax;
  if (input === 'context_window') return null;
  return { prompt_tokens: input, completion_tokens: outputTokens, total_tokens: input + outputTokens };
}
