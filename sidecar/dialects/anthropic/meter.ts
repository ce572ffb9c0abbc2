// Metering the Messages API. `message_start` brings the input's counts, `message_delta` the output's so far (and maybe
// corrected input counts), `message_stop` the end; an `error` event may come after HTTP 200.

import { bytesOf, objectOrNull, stringOrNull } from '../counts.ts';
import type { Description, JsonObject } from '../dialect.ts';
import { isObject } from '../fields.ts';
import type { Metered, StreamMeter } from '../metered.ts';
import {
  type AnswerReader,
  NOTHING_METERED,
  meterWhole as readEither,
  streamMeter,
} from '../stream-meter.ts';
import { readToolRequests, toolRequest } from '../tool-requests.ts';
import { visibleOutput } from '../visible-output.ts';
import { messageEnding } from './ending.ts';
import { readUsage } from './usage.ts';

export function meterWhole(_description: Description, bytes: Buffer, ok: boolean): Metered {
  const metered = readEither(bytes, readWholeMessage, readMessage);
  return ok || metered.errorType !== null ? metered : { ...metered, errorType: 'error' };
}

export function meterStream(description: Description): StreamMeter {
  return streamMeter(readMessage(), false, (bytes) => meterWhole(description, bytes, true));
}

export function readMessage(): AnswerReader {
  const usage = readUsage();
  const tools = readToolRequests();
  const visible = visibleOutput();
  const openBlocks = new Set<number>();
  const finishReasons: string[] = [];
  let model: string | null = null;
  let responseId: string | null = null;
  let errorType: string | null = null;
  let outputBytesSeen = 0;
  let counted = false;
  let complete = false;

  function start(message: JsonObject): void {
    model = stringOrNull(message.model);
    responseId = stringOrNull(message.id);
    if (isObject(message.usage)) usage.take(message.usage);
  }

  function delta(event: JsonObject, change: JsonObject): void {
    const text = stringOrNull(change.partial_json);
    if (text !== null) tools.take(String(event.index), { argumentsText: text });
    outputBytesSeen += bytesOf(change.text) + bytesOf(text) + bytesOf(change.thinking);
    visible.take(change.text ?? text ?? change.thinking, Number(event.index));
  }

  function startBlock(event: JsonObject): void {
    openBlocks.add(Number(event.index));
    const block = objectOrNull(event.content_block);
    if (block?.type !== 'tool_use') return;
    const name = stringOrNull(block.name) ?? '';
    tools.take(String(event.index), { name, id: stringOrNull(block.id) ?? '' });
    outputBytesSeen += Buffer.byteLength(name);
  }

  const tokens = (): number => Math.max(usage.outputTokens(), visible.tokens());

  function end(event: JsonObject): void {
    const reason = stringOrNull(objectOrNull(event.delta)?.stop_reason);
    if (reason !== null) finishReasons.push(reason);
    if (!isObject(event.usage)) return;
    usage.take(event.usage);
    counted = true;
  }

  return {
    take(event) {
      switch (event.type) {
        case 'message_start':
          if (isObject(event.message)) start(event.message);
          break;
        case 'content_block_start':
          startBlock(event);
          break;
        case 'content_block_delta':
          if (isObject(event.delta)) delta(event, event.delta);
          break;
        case 'content_block_stop':
          openBlocks.delete(Number(event.index));
          break;
        case 'message_delta':
          end(event);
          break;
        case 'message_stop':
          complete = true;
          break;
        case 'error':
          errorType = stringOrNull(objectOrNull(event.error)?.type) ?? 'error';
          break;
      }
      return false;
    },
    done: () => undefined,
    outputTokensSeen: tokens,
    ending() {
      finishReasons.push('max_tokens');
      return messageEnding(openBlocks, tokens());
    },
    result() {
      const reported = usage.result();
      return {
        usage: counted ? reported : null,
        partial: reported,
        outputBytesSeen,
        model,
        responseId,
        finishReasons,
        serviceTier: usage.tier(),
        toolRequests: tools.result().filter(({ name }) => name !== ''),
        errorType,
        complete,
      };
    },
  };
}

export function readWholeMessage(message: JsonObject): Metered {
  const usage = readUsage();
  if (isObject(message.usage)) usage.take(message.usage);
  const blocks = (Array.isArray(message.content) ? message.content : []).filter(isObject);
  const stopReason = stringOrNull(message.stop_reason);
  return {
    ...NOTHING_METERED,
    usage: usage.result(),
    outputBytesSeen: blocks.reduce((bytes, block) => bytes + visibleBytes(block), 0),
    model: stringOrNull(message.model),
    responseId: stringOrNull(message.id),
    finishReasons: stopReason === null ? [] : [stopReason],
    serviceTier: usage.tier(),
    toolRequests: blocks
      .filter((block) => block.type === 'tool_use')
      .map((block) =>
        toolRequest(
          stringOrNull(block.name) ?? '',
          stringOrNull(block.id) ?? '',
          JSON.stringify(block.input ?? {}),
        ),
      ),
    errorType: message.type === 'error' ? (stringOrNull(objectOrNull(message.error)?.type) ?? 'error') : null,
  };
}

const visibleBytes = (block: JsonObject): number =>
  bytesOf(block.text) +
  bytesOf(block.thinking) +
  bytesOf(block.name) +
  (block.input === undefined ? 0 : Buffer.byteLength(JSON.stringify(block.input)));
