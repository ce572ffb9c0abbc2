// A failed answer is read whole before anyone decides about it: its body says what its status does not, and nothing of
// it has gone to the agent yet. Where nobody tries again it passes on from here as if it had never been held.

import type { Clock } from '../../kit/clock.ts';
import type { Answer, AnswerSink } from '../call.ts';

/** An error is short and comes at once; what is longer, or later, passes on as it is. */
const KEPT_BYTES_MAX = 64 * 1024;
const KEPT_MS_MAX = 1_000;

export interface KeptAnswer {
  /** Of the body, as far as it was read. */
  readonly bytes: Buffer;
  /** The same answer, with its bytes still to be handed over. */
  readonly answer: Answer;
}

export function keepAnswer(answer: Answer, clock: Clock): Promise<KeptAnswer> {
  const chunks: Buffer[] = [];
  let total = 0;
  let ending: ((sink: AnswerSink) => void) | null = null;
  let next: AnswerSink | null = null;

  const kept: Answer = {
    ...passedOn(answer),
    listen(sink) {
      next = sink;
      for (const chunk of chunks.splice(0)) sink.data(chunk);
      if (ending) ending(sink);
      else answer.resume();
    },
  };

  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      resolve({ bytes: Buffer.concat(chunks), answer: kept });
    };
    const stopHere = (): void => {
      answer.pause();
      done();
    };
    const ends = (how: (sink: AnswerSink) => void): void => {
      ending = how;
      if (next) how(next);
      else done();
    };
    const cancel = clock.after(KEPT_MS_MAX, stopHere);
    answer.listen({
      data(chunk) {
        if (next) return next.data(chunk);
        chunks.push(chunk);
        total += chunk.length;
        if (total > KEPT_BYTES_MAX) stopHere();
      },
      end: () => ends((sink) => sink.end()),
      failed: (error) => ends((sink) => sink.failed(error)),
    });
  });
}

/** The same answer with a header of ours, in place of its own of that name. */
export const withHeader = (answer: Answer, name: string, value: string): Answer => ({
  ...passedOn(answer),
  headers: [...without(answer.headers, name), name, value],
});

const without = (headers: readonly string[], name: string): string[] =>
  headers.filter((_, index) => headers[index & ~1]!.toLowerCase() !== name);

const passedOn = (answer: Answer): Answer => ({
  status: answer.status,
  headers: answer.headers,
  header: (name) => answer.header(name),
  ...(answer.socket && { socket: answer.socket }),
  listen: (sink) => answer.listen(sink),
  pause: () => answer.pause(),
  resume: () => answer.resume(),
  abort: (reason) => answer.abort(reason),
});
