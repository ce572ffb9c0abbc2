// Google's `usageMetadata`: cached tokens lie within the prompt's count, what hosted tools fed back and what was thought
// lie outside of it and of the candidates', and the total holds all. It comes again with every chunk, whole or in part
// (Vertex begins with nothing but `trafficType`): the last word counts, and output never shrinks. Zeros are left out.

import { countReader, stringOrNull } from '../counts.ts';
import type { Json, JsonObject } from '../dialect.ts';
import { isObject } from '../fields.ts';
import type { Usage } from '../metered.ts';

export interface UsageReader {
  take(usage: JsonObject): void;
  /** Null when nothing was counted, or nonsense. */
  result(hostedUses: Readonly<Record<string, number>>): Usage | null;
  /** Tokens made so far, thoughts included; null before any count. */
  outputTokens(): number | null;
  tier(): string | null;
  /** As last reported; null before any. */
  reported(): JsonObject | null;
}

export function readUsage(): UsageReader {
  let merged: JsonObject | null = null;
  let most = 0;
  let sound = true;
  return {
    take(usage) {
      const present = Object.entries(usage).filter(([, value]) => value !== null);
      merged = { ...merged, ...Object.fromEntries(present) };
      const counts = countReader();
      const made = outputOf(merged, counts);
      if (!counts.sound) sound = false;
      most = Math.max(most, made);
    },
    result: (hostedUses) => (merged && sound ? disjoint(merged, most, hostedUses) : null),
    outputTokens: () => (merged && counted(merged) ? most : null),
    tier: () => (merged ? tierOf(merged) : null),
    reported: () => merged,
  };
}

const counted = (usage: JsonObject): boolean => usage.promptTokenCount !== undefined;

/** The total says what a model leaves out of its own counts: some older ones their thoughts. */
function outputOf(usage: JsonObject, counts: ReturnType<typeof countReader>): number {
  const made = counts.optional(usage, 'candidatesTokenCount') + counts.optional(usage, 'thoughtsTokenCount');
  const fed = counts.optional(usage, 'promptTokenCount') + counts.optional(usage, 'toolUsePromptTokenCount');
  return Math.max(made, counts.optional(usage, 'totalTokenCount') - fed);
}

function disjoint(
  usage: JsonObject,
  outputTokens: number,
  hostedUses: Readonly<Record<string, number>>,
): Usage | null {
  const counts = countReader();
  const prompt = counts.required(usage, 'promptTokenCount');
  const cached = counts.optional(usage, 'cachedContentTokenCount');
  const fedBack = counts.optional(usage, 'toolUsePromptTokenCount');
  const reasoning = counts.optional(usage, 'thoughtsTokenCount');
  const audio = ofModality(usage.promptTokensDetails, 'AUDIO');
  const cachedAudio = Math.min(ofModality(usage.cacheTokensDetails, 'AUDIO'), cached, audio);
  if (cached > prompt || !writesText(usage.candidatesTokensDetails)) counts.refuse();
  if (!counts.sound) return null;
  return {
    uncachedInputTokens: prompt - cached + fedBack,
    cachedInputTokens: cached,
    cacheWriteTokens: 0,
    cacheWriteHourTokens: 0,
    outputTokens,
    reasoningTokens: reasoning,
    audioInputTokens: audio - cachedAudio,
    cachedAudioInputTokens: cachedAudio,
    hostedUses,
  };
}

function ofModality(details: Json | undefined, modality: string): number {
  let sum = 0;
  for (const detail of Array.isArray(details) ? details : []) {
    if (!isObject(detail) || detail.modality !== modality) continue;
    sum += countReader().optional(detail, 'tokenCount');
  }
  return sum;
}

/** Sound and pictures among the output cost other than its text. */
function writesText(details: Json | undefined): boolean {
  const others = (Array.isArray(details) ? details : []).filter(
    (detail) => isObject(detail) && detail.modality !== 'TEXT' && detail.tokenCount !== 0,
  );
  return others.length === 0;
}

/** What served the request, in the words `describe` uses for what was asked: `ON_DEMAND_FLEX` is `flex`. */
function tierOf(usage: JsonObject): string | null {
  const tier = stringOrNull(usage.serviceTier) ?? stringOrNull(usage.trafficType);
  if (tier === null) return null;
  const name = tier.toLowerCase().replace(/^(?:service_tier_|on_demand_)/, '');
  return name === 'unspecified' || name === 'traffic_type_unspecified' ? null : name;
}
