// What Converse answers, whole and streamed, and Nova's own format, whose events are the same: start, blocks, their
// deltas, `messageStop` with the reason, and `metadata` last, with the usage.

import { bytesOf, objectOrNull, stringOrNull } from '../counts.ts';
import type { Description, JsonObject } from '../dialect.ts';
import { isObject } from '../fields.ts';
import type { Metered, ToolRequest, Usage } from '../metered.ts';
import { NOTHING_METERED } from '../stream-meter.ts';
import { readToolRequests, toolRequest } from '../tool-requests.ts';
import { visibleOutput } from '../visible-output.ts';
import { tierOf } from './tier.ts';
import { readTokenUsage } from './usage.ts';

export function readConverseWhole(answer: JsonObject): Metered {
  const message = objectOrNull(objectOrNull(answer.output)?.message);
  const blocks = (Array.isArray(message?.content) ? message.content : []).filter(isObject);
  const stopReason = stringOrNull(answer.stopReason);
  return {
    ...NOTHING_METERED,
    usage: isObject(answer.usage) ? readTokenUsage(answer.usage) : null,
    outputBytesSeen: blocks.reduce((bytes, block) => bytes + visibleBytes(block), 0),
    model: routedTo(answer),
    finishReasons: stopReason === null ? [] : [stopReason],
    serviceTier: tierIn(answer),
    toolRequests: blocks.flatMap(toolRequestIn),
  };
}

function visibleBytes({ text, toolUse, reasoningContent }: JsonObject): number {
  const thought = objectOrNull(objectOrNull(reasoningContent)?.reasoningText);
  return (
    bytesOf(text) +
    bytesOf(thought?.text) +
    (isObject(toolUse) ? Buffer.byteLength(JSON.stringify(toolUse)) : 0)
  );
}

/** A `server_tool_use` ran at the provider: nothing is asked of the agent. */
function toolRequestIn({ toolUse }: JsonObject): ToolRequest[] {
  if (!isObject(toolUse) || toolUse.type === 'server_tool_use') return [];
  const { name, toolUseId, input } = toolUse;
  return [toolRequest(stringOrNull(name) ?? '', stringOrNull(toolUseId) ?? '', JSON.stringify(input ?? {}))];
}

/** A prompt router says which model answered. */
const routedTo = ({ trace }: JsonObject): string | null =>
  stringOrNull(objectOrNull(objectOrNull(trace)?.promptRouter)?.invokedModelId);

const tierIn = ({ performanceConfig, serviceTier }: JsonObject): string | null =>
  tierOf(
    stringOrNull(objectOrNull(performanceConfig)?.latency),
    stringOrNull(objectOrNull(serviceTier)?.type),
  );

/** Converse's events, however they are framed. */
export interface ConverseEvents {
  take(name: string, event: JsonObject): void;
  result(): Metered;
  outputTokensSeen(): number;
  /** The events that Bedrock itself sends when the limit is reached. */
  ending(): readonly ConverseEvent[];
}

export type ConverseEvent = readonly [name: string, payload: JsonObject];

export function readConverseStream({ inputTokensMax }: Description): ConverseEvents {
  const tools = readToolRequests();
  const visible = visibleOutput();
  const ranAtProvider = new Set<string>();
  const openBlocks = new Set<number>();
  const finishReasons: string[] = [];
  let metadata: JsonObject | null = null;
  let usage: Usage | null = null;
  let outputBytesSeen = 0;
  let stopped = false;

  function start({ contentBlockIndex, start: begun }: JsonObject): void {
    openBlocks.add(Number(contentBlockIndex));
    const toolUse = objectOrNull(objectOrNull(begun)?.toolUse);
    if (!toolUse) return;
    const name = stringOrNull(toolUse.name) ?? '';
    outputBytesSeen += Buffer.byteLength(name);
    if (toolUse.type === 'server_tool_use') ranAtProvider.add(String(contentBlockIndex));
    else tools.take(String(contentBlockIndex), { name, id: stringOrNull(toolUse.toolUseId) ?? '' });
  }

  /** A block of text begins with its first delta. */
  function delta({ contentBlockIndex, delta: change }: JsonObject): void {
    openBlocks.add(Number(contentBlockIndex));
    if (!isObject(change)) return;
    const input = stringOrNull(objectOrNull(change.toolUse)?.input);
    if (input !== null && !ranAtProvider.has(String(contentBlockIndex)))
      tools.take(String(contentBlockIndex), { argumentsText: input });
    const text = change.text ?? input ?? objectOrNull(change.reasoningContent)?.text;
    outputBytesSeen += bytesOf(text);
    visible.take(text, Number(contentBlockIndex));
  }

  const tokens = (): number => usage?.outputTokens ?? visible.tokens();

  return {
    take(name, event) {
      switch (name) {
        case 'contentBlockStart':
          return start(event);
        case 'contentBlockDelta':
          return delta(event);
        case 'contentBlockStop':
          openBlocks.delete(Number(event.contentBlockIndex));
          return;
        case 'messageStop': {
          const reason = stringOrNull(event.stopReason);
          if (reason !== null) finishReasons.push(reason);
          stopped = true;
          return;
        }
        case 'metadata':
          metadata = event;
          usage = isObject(event.usage) ? readTokenUsage(event.usage) : null;
      }
    },
    outputTokensSeen: tokens,
    result: () => ({
      ...NOTHING_METERED,
      usage,
      outputBytesSeen,
      model: metadata && routedTo(metadata),
      finishReasons,
      serviceTier: metadata && tierIn(metadata),
      toolRequests: tools.result().filter(({ name }) => name !== ''),
      complete: stopped && metadata !== null,
    }),
    ending() {
      finishReasons.push('max_tokens');
      const inputTokens = inputTokensMax === 'context_window' ? 0 : inputTokensMax;
      const counts = { inputTokens, outputTokens: tokens(), totalTokens: inputTokens + tokens() };
      return [
        ...[...openBlocks].map((index): ConverseEvent => ['contentBlockStop', { contentBlockIndex: index }]),
        ['messageStop', { stopReason: 'max_tokens' }],
        ['metadata', { usage: counts, metrics: { latencyMs: 0 } }],
      ];
    },
  };
}
