// The thread that turns large OTLP/JSON requests into protobuf, one at a time, in the order they are handed to it.

import { parentPort } from 'node:worker_threads';
import { MalformedRequest } from './framing.ts';
import type { JsonOrder, JsonResult } from './json-converter.ts';
import { jsonToProtobuf } from './json-to-protobuf.ts';

/**
 * Objects and lists that one request may hold, some fifty bytes of memory each. What a tracer writes has one for every
 * twenty bytes; `[[[[…` has one for each, and would take fifty times its size.
 */
const CONTAINERS_MAX = 2_000_000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const OPEN_OBJECT = 0x7b;

function refuseThicket(body: Uint8Array): void {
  let containers = 0;
  let inText = false;
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at];
    if (byte === QUOTE) inText = !inText;
    else if (inText) {
      if (byte === BACKSLASH) at += 1;
    } else if (byte === OPEN_LIST || byte === OPEN_OBJECT) containers += 1;
  }
  if (containers > CONTAINERS_MAX)
    throw new MalformedRequest(`holds more than ${CONTAINERS_MAX} objects and lists`, 'the body');
}

function answer({ signal, body }: JsonOrder): JsonResult {
  try {
    refuseThicket(body);
    return { kind: 'done', request: new Uint8Array(jsonToProtobuf(signal, body)) };
  } catch (failure) {
    if (!(failure instanceof MalformedRequest)) throw failure;
    return { kind: 'malformed', message: failure.message, place: failure.place };
  }
}

parentPort?.on('message', (order: JsonOrder) => {
  const result = answer(order);
  const given = result.kind === 'done' ? [result.request.buffer as ArrayBuffer] : [];
  parentPort?.postMessage(result, given);
});
