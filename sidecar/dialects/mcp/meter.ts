// How a call ended: JSON-RPC errors and results that say `isError` are failures although HTTP says 200. Nothing is
// counted but that; a tool costs what `prices:` says per call.

import type { Description, Json, JsonObject } from '../dialect.ts';
import { isObject } from '../fields.ts';
import type { Metered, StreamMeter } from '../metered.ts';
import { readEvents } from '../sse.ts';
import { NOTHING_METERED } from '../stream-meter.ts';
import { LISTEN } from './recognise.ts';

const NOTHING = Buffer.alloc(0);
const READ_BYTES_MAX = 32 * 1024 * 1024;

export function meterWhole(description: Description, bytes: Buffer, ok: boolean): Metered {
  const seen = createOutcome(description);
  seen.take(bytes.length > READ_BYTES_MAX ? undefined : parse(bytes.toString()));
  const metered = seen.metered();
  return { ...metered, errorType: metered.errorType ?? (ok ? null : 'error'), complete: true };
}

export function meterStream(description: Description): StreamMeter {
  const seen = createOutcome(description);
  const events = readEvents((data) => {
    seen.take(parse(data));
    return false;
  }, false);
  return {
    push: (chunk) => events.push(chunk),
    flush: () => events.end(),
    metered: seen.metered,
    outputTokensSeen: () => 0,
    unfinishedBytes: () => events.unfinishedBytes(),
    cut: () => NOTHING,
  };
}

interface Outcome {
  take(message: Json | undefined): void;
  metered(): Metered;
}

function createOutcome({ endpoint, acts }: Description): Outcome {
  let errorType: string | null = null;
  let unfinished: string | null = null;
  let answers = 0;
  const takeOne = (message: Json): void => {
    if (!isObject(message) || 'method' in message) return;
    answers += 1;
    errorType ??= errorOf(message);
    const { result } = message;
    if (isObject(result) && typeof result.resultType === 'string' && result.resultType !== 'complete')
      unfinished = result.resultType.slice(0, 64);
  };
  return {
    take(message) {
      if (Array.isArray(message)) message.forEach(takeOne);
      else if (message !== undefined) takeOne(message);
    },
    metered: () => ({
      ...NOTHING_METERED,
      errorType,
      finishReasons: unfinished === null ? [] : [unfinished],
      // a stream that is only listened to is over whenever someone closes it
      complete: endpoint === LISTEN || answers >= acts.length,
    }),
  };
}

/** Named as the OpenTelemetry MCP conventions name it. */
function errorOf({ error, result }: JsonObject): string | null {
  if (isObject(error)) return String(error.code).slice(0, 64);
  return isObject(result) && result.isError === true ? 'tool_error' : null;
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch (failure) {
    if (failure instanceof SyntaxError) return undefined;
    throw failure;
  }
}
