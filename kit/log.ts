// Logs are JSON lines on stderr: stdout belongs to ready lines and to a command's answer.

export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** `process` names who speaks: sidecar, collector, store. Every field is JSON-encoded, so no input can forge a line. */
export function createLog(
  process_: string,
  write: (line: string) => void = (line) => void process.stderr.write(line),
): Log {
  const emit =
    (level: string) =>
    (event: string, fields: LogFields = {}) =>
      write(
        `${JSON.stringify({ time: new Date().toISOString(), level, process: process_, event, ...fields })}\n`,
      );
  return { info: emit('info'), warn: emit('warn'), error: emit('error') };
}

const nothing = (): undefined => undefined;
export const silentLog: Log = { info: nothing, warn: nothing, error: nothing };

/** The sentence of anything thrown, with its causes; never a stack, never a request's headers. */
export function sentenceOf(failure: unknown): string {
  if (!(failure instanceof Error)) return String(failure);
  const own = failure.message || ('code' in failure ? String(failure.code) : failure.name);
  if (!(failure.cause instanceof Error)) return own;
  const cause = sentenceOf(failure.cause);
  return own.endsWith('.') ? `${own.slice(0, -1)} (${cause}).` : `${own}: ${cause}`;
}
