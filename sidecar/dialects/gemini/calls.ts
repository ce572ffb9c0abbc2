// The functions Gemini asked its agent to run. A call is one part, but for those that Vertex streams on request: their
// arguments come piece by piece, as paths with values, while the call says `willContinue`.

import { objectOrNull, stringOrNull } from '../counts.ts';
import type { JsonObject } from '../dialect.ts';
import type { ToolRequest } from '../metered.ts';
import { readToolRequests } from '../tool-requests.ts';

export interface CallsReader {
  /** Returns the bytes the model wrote for it; 0 for a part that is no call. */
  take(part: JsonObject, candidate: number): number;
  result(): ToolRequest[];
}

export function readCalls(): CallsReader {
  const tools = readToolRequests();
  const open = new Set<number>();
  const begun = new Map<number, number>();
  return {
    take(part, candidate) {
      const call = objectOrNull(part.functionCall);
      if (!call) return 0;
      const continues = open.has(candidate);
      const count = (begun.get(candidate) ?? 0) + (continues ? 0 : 1);
      begun.set(candidate, count);
      if (call.willContinue === true) open.add(candidate);
      else open.delete(candidate);
      const argumentsText = argumentsOf(call, continues);
      const name = stringOrNull(call.name) ?? '';
      tools.take(`${candidate}/${count}`, { name, id: stringOrNull(call.id) ?? '', argumentsText });
      return Buffer.byteLength(name) + Buffer.byteLength(argumentsText);
    },
    result: tools.result,
  };
}

function argumentsOf(call: JsonObject, continues: boolean): string {
  if (Array.isArray(call.partialArgs)) return JSON.stringify(call.partialArgs);
  if (call.args === undefined && (continues || call.willContinue === true)) return '';
  return JSON.stringify(call.args ?? {});
}
