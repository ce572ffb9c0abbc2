// How a call ended, read off the answer: an error of the JSON-RPC or the HTTP binding, or the state of the task that a
// message began. A task that waits for input or for a login is no failure, and its state is on the record.
// Source: specification 1.0.0 §§ 4.1.3, 5.4; 0.3.0 §§ 6.3, 8.

import type { Json, JsonObject } from '../dialect.ts';
import { isObject } from '../fields.ts';

const CODES: Readonly<Record<number, string>> = {
  [-32700]: 'parse_error',
  [-32600]: 'invalid_request',
  [-32601]: 'method_not_found',
  [-32602]: 'invalid_params',
  [-32603]: 'internal_error',
  [-32001]: 'task_not_found',
  [-32002]: 'task_not_cancelable',
  [-32003]: 'push_notification_not_supported',
  [-32004]: 'unsupported_operation',
  [-32005]: 'content_type_not_supported',
  [-32006]: 'invalid_agent_response',
  [-32007]: 'extended_card_not_configured',
  [-32008]: 'extension_support_required',
  [-32009]: 'version_not_supported',
};
const FAILED: ReadonlySet<string> = new Set(['failed', 'rejected']);

export interface Outcome {
  readonly errorType: string | null;
  /** In the words of 0.3: `completed`, `input-required`; null for a plain message. */
  readonly state: string | null;
  /** Of the task, else of the message. */
  readonly id: string | null;
}

/** `answer` is a whole answer or one event: with or without its JSON-RPC envelope. Null when it says nothing of these. */
export function outcomeOf(answer: JsonObject): Outcome | null {
  if (isObject(answer.error)) return { errorType: errorOf(answer.error), state: null, id: null };
  const result = isObject(answer.result) ? answer.result : answer;
  const task = inner(result.task) ?? inner(result.statusUpdate) ?? result;
  const state = stateOf(isObject(task.status) ? task.status.state : undefined);
  if (state !== null) {
    const errorType = FAILED.has(state) ? `task_${state}` : null;
    return { errorType, state, id: text(task.id) ?? text(task.taskId) };
  }
  const message = inner(result.message) ?? inner(result.msg) ?? result;
  const id = text(message.messageId);
  return id === null ? null : { errorType: null, state: null, id };
}

function errorOf({ code, status }: JsonObject): string {
  const named = typeof code === 'number' ? CODES[code] : undefined;
  if (named !== undefined) return named;
  return typeof status === 'string' && /^[A-Z_]{1,64}$/.test(status) ? status.toLowerCase() : String(code);
}

/** `TASK_STATE_INPUT_REQUIRED`, `input-required` → `input-required`. */
function stateOf(state: Json | undefined): string | null {
  if (typeof state !== 'string' || !/^[A-Za-z_-]{1,64}$/.test(state)) return null;
  return state
    .replace(/^TASK_STATE_/, '')
    .toLowerCase()
    .replaceAll('_', '-');
}

const inner = (value: Json | undefined): JsonObject | undefined => (isObject(value) ? value : undefined);
const text = (value: Json | undefined): string | null =>
  typeof value === 'string' && value !== '' ? value.slice(0, 256) : null;
