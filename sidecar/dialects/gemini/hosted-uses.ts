// How often Google ran tools of its own for an answer, read from the traces they leave in its candidates.

import { objectOrNull } from '../counts.ts';
import type { Json, JsonObject } from '../dialect.ts';
import { isObject } from '../fields.ts';

export interface HostedUsesReader {
  take(candidate: JsonObject, parts: readonly Json[]): void;
  result(): Record<string, number>;
}

const lengthOf = (value: Json | undefined): number => (Array.isArray(value) ? value.length : 0);

/** `hosted` are the tools the request offered: search leaves the same trace whichever kind was asked for. */
export function readHostedUses(hosted: readonly string[]): HostedUsesReader {
  const uses: Record<string, number> = {};
  const search = hosted.find((type) => /search/.test(type) && type !== 'file_search') ?? 'google_search';
  const retrieval = hosted.includes('retrieval') ? 'retrieval' : 'file_search';

  /** A trace comes once, or again with more in it. */
  function atLeast(type: string, count: number): void {
    if (count > (uses[type] ?? 0)) uses[type] = count;
  }

  return {
    take(candidate, parts) {
      const grounding = objectOrNull(candidate.groundingMetadata);
      if (grounding) {
        atLeast(search, lengthOf(grounding.webSearchQueries) + lengthOf(grounding.imageSearchQueries));
        atLeast('retrieval', lengthOf(grounding.retrievalQueries));
        const chunks = Array.isArray(grounding.groundingChunks) ? grounding.groundingChunks : [];
        if (chunks.some((chunk) => isObject(chunk) && isObject(chunk.maps))) atLeast('google_maps', 1);
        if (chunks.some((chunk) => isObject(chunk) && isObject(chunk.retrievedContext)))
          atLeast(retrieval, 1);
      }
      atLeast('url_context', lengthOf(objectOrNull(candidate.urlContextMetadata)?.urlMetadata));
      const programs = parts.filter((part) => isObject(part) && isObject(part.executableCode)).length;
      if (programs > 0) uses.code_execution = (uses.code_execution ?? 0) + programs;
    },
    result: () => ({ ...uses }),
  };
}
