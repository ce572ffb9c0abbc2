// The last chunk of a stream whose output limit was reached: every candidate that was still open ends there, with the
// counts that the provider would report (ai.google.dev/api/generate-content, FinishReason).

import { countReader } from '../counts.ts';
import type { JsonObject } from '../dialect.ts';

export function endingChunk(
  openCandidates: readonly number[],
  reported: JsonObject | null,
  outputTokens: number,
  { model, responseId }: { readonly model: string | null; readonly responseId: string | null },
): JsonObject {
  return {
    candidates: openCandidates.map((index) => ({
      content: { role: 'model', parts: [{ text: '' }] },
      finishReason: 'MAX_TOKENS',
      index,
    })),
    ...(reported && { usageMetadata: { ...reported, ...madeSoFar(reported, outputTokens) } }),
    ...(model !== null && { modelVersion: model }),
    ...(responseId !== null && { responseId }),
  };
}

function madeSoFar(reported: JsonObject, outputTokens: number): JsonObject {
  const counts = countReader();
  const input =
    counts.optional(reported, 'promptTokenCount') + counts.optional(reported, 'toolUsePromptTokenCount');
  const thoughts = counts.optional(reported, 'thoughtsTokenCount');
  return {
    candidatesTokenCount: Math.max(0, outputTokens - thoughts),
    totalTokenCount: input + outputTokens,
  };
}
