// Logs are JSON lines on stderr: stdout belongs to ready lines and to a command's answer.

export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** Of one text in a line; a message of a store may quote a whole request. */
const TEXT_MAX = 4_096;
/** Legal in JSON, but a terminal or a viewer takes them for line ends, commands or another order of the text. */
const UNSEEN = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

const shortened = (_key: string, value: unknown): unknown =>
  typeof value === 'string' && value.length > TEXT_MAX
    ? `${value.slice(0, TEXT_MAX)}… (${value.length - TEXT_MAX} more)`
    : value;

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/**
 * `process` names who speaks: sidecar, collector, store. Every field is JSON, with what a terminal would act on escaped
 * and long texts cut, so no input can forge a line, colour it, or flood it.
 */
export function createLog(
  process_: string,
  write: (line: string) => void = (line) => void process.stderr.write(line),
): Log {
  const emit =
    (level: string) =>
    (event: string, fields: LogFields = {}) =>
      write(`${lineOf({ time: new Date().toISOString(), level, process: process_, event, ...fields })}\n`);
  return { info: emit('info'), warn: emit('warn'), error: emit('error') };
}

const lineOf = (entry: LogFields): string => JSON.stringify(entry, shortened).replace(UNSEEN, escaped);

const nothing = (): undefined => undefined;
export const silentLog: Log = { info: nothing, warn: nothing, error: nothing };

/** The sentence of anything thrown, with its causes; never a stack, never a request's headers. */
export function sentenceOf(failure: unknown): string {
  if (!(failure instanceof Error)) return String(failure);
  const own = failure.message || ('code' in failure ? String(failure.code) : failure.name);
  if (!(failure.cause instanceof Error)) return own;
  const cause = sentenceOf(failure.cause);
  if (own.includes(cause)) return own; // whoever wrapped it has said it
  return own.endsWith('.') ? `${own.slice(0, -1)} (${cause}).` : `${own}: ${cause}`;
}
