// What models answer whose format is plain text: Llama (`generation`, `prompt_token_count`), Titan (`results`,
// `outputText`, `inputTextTokenCount`), Mistral (`outputs`); and embeddings, which have an input's count alone.

import { bytesOf, countReader, larger, stringOrNull } from '../counts.ts';
import type { Json, JsonObject } from '../dialect.ts';
import { isObject } from '../fields.ts';
import type { Usage } from '../metered.ts';
import { NOTHING_METERED } from '../stream-meter.ts';
import { visibleOutput } from '../visible-output.ts';
import type { InvokeEvents } from './frame-events.ts';
import { disjoint } from './usage.ts';

/** One object of a whole answer, or those of a stream; counts are of the whole so far. */
export function readCompletions(): InvokeEvents {
  let usage: Usage | null = null;
  let sound = true;
  const visible = visibleOutput();
  let outputBytesSeen = 0;
  let stopped: string | null = null;
  let last: JsonObject = {};

  function count(event: JsonObject): void {
    const counts = countReader();
    const result = Array.isArray(event.results) && isObject(event.results[0]) ? event.results[0] : null;
    const input = event.prompt_token_count ?? event.inputTextTokenCount;
    const output = event.generation_token_count ?? event.totalOutputTextTokenCount ?? result?.tokenCount;
    if (input == null && output == null) return;
    const told = disjoint(
      counts.optional({ input: input ?? null }, 'input'),
      counts.optional({ output: output ?? null }, 'output'),
    );
    if (!counts.sound) sound = false;
    else usage = larger(usage, told);
  }

  const tokens = (): number => Math.max(usage?.outputTokens ?? 0, visible.tokens());

  return {
    take(event) {
      last = event;
      count(event);
      for (const part of [event, ...listed(event.results), ...listed(event.outputs)]) {
        const text = part.generation ?? part.outputText ?? part.text;
        outputBytesSeen += bytesOf(text);
        visible.take(text);
        stopped = stringOrNull(part.stop_reason ?? part.completionReason) ?? stopped;
      }
    },
    outputTokensSeen: tokens,
    result: () => ({
      ...NOTHING_METERED,
      usage: sound ? usage : null,
      outputBytesSeen,
      finishReasons: stopped === null ? [] : [stopped],
    }),
    ending() {
      stopped = 'length';
      if ('outputText' in last)
        return [{ outputText: '', totalOutputTextTokenCount: tokens(), completionReason: 'LENGTH' }];
      if ('outputs' in last) return [{ outputs: [{ text: '', stop_reason: 'length' }] }];
      return [{ generation: '', generation_token_count: tokens(), stop_reason: 'length' }];
    },
  };
}

const listed = (value: Json | undefined): JsonObject[] =>
  Array.isArray(value) ? value.filter(isObject) : [];
