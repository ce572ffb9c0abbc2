// Count what was used while the answer streams past: each chunk goes to the agent first and is read after. The bytes
// are the upstream's own, but for a usage chunk that only we asked for and what a dialect writes anew; an answer that
// literally holds the injected secret is ended there, and a stream where its hold is used up or its agent is stopped.

import { KEPT_ANSWER_BYTES_MAX } from '../../contract/dead-letter.ts';
import { Refusal } from '../../contract/refusals.ts';
import { answerHead, holdsSecret } from '../answer-head.ts';
import { type AnswerReader, readerOf } from '../answer-reader.ts';
import { type Rewriting, type Rewritten, rewrittenAs } from '../answer-rewriter.ts';
import { type Answered, learn } from '../call.ts';
import { type Cutter, cutterOf } from '../cutter.ts';
import type { SendFailure } from '../edges/upstreams.ts';
import { type SecretGuard, secretGuard } from '../secret-guard.ts';
import type { Throttles } from '../state/throttles.ts';
import { hearing, sendsAway } from '../throttled-answer.ts';
import type { Trail } from '../trail.ts';

export interface Metering extends Rewriting {
  /** How to end each stream that is only listened to: nobody waits for those when the sidecar stops. */
  readonly listening: Set<() => void>;
  readonly throttles: Throttles;
  nowMs(): number;
}

export function meter(answered: Answered, use: Metering, trail: Trail): void {
  const { answer, outbound } = answered;
  const plain = readerOf(answered);
  const reader = sendsAway(answer.status) ? hearing(answered, plain, use.throttles, use.nowMs) : plain;
  trail.answering(answer, () => reader.metered());
  if (holdsSecret(answer.headers, outbound.secret)) {
    answer.abort(new Error('secret in the answer'));
    throw secretInAnswer();
  }
  const rewritten = rewrittenAs(answered, use);
  if (rewritten.rewriter && (answer.header('content-encoding') ?? 'identity') !== 'identity') {
    answer.abort(new Error('compressed against what was asked'));
    throw compressed();
  }
  const end = pass(answered, trail, reader, rewritten, secretGuard(outbound.secret));
  if (!answered.description?.listens) return;
  use.listening.add(end);
  answered.response.once('close', () => use.listening.delete(end));
}

/** Bytes pass on as they come, no faster than the agent takes them. Returns how to end the answer here, as answered. */
function pass(
  answered: Answered,
  trail: Trail,
  reader: AnswerReader,
  { rewriter, headers }: Rewritten,
  guard: SecretGuard,
): () => void {
  const { answer, response } = answered;
  const anew = reader.rewrites || rewriter !== null;
  const overBridge = answered.later?.bridge != null;
  let silent = answered.policy.config.breakers.slow !== null;
  const cutter = cutterOf(answered, reader.stream, overBridge ? reader.rewrites : anew);
  const errorBody = answer.status >= 400 ? keepErrorBody(answered) : null;
  let over = false;
  let stopped: Refusal | null = null;
  response.writeHead(answer.status, answerHead(answered, anew, headers));
  // a stream of a tool server may say nothing for long, and its client waits for the head
  if (reader.streamed && answered.description?.acts.length) response.flushHeaders();
  const write = (bytes: Buffer): void => {
    if (bytes.length > 0 && !response.write(bytes)) answer.pause();
  };
  response.on('drain', () => answer.resume());
  const end = (failure: SendFailure | null): void => {
    over = true;
    trail.broken(failure);
    response.destroy();
  };
  /** Metered as it came, passed on as it is written anew. */
  const rewritten = (read: Buffer): Buffer => (rewriter ? rewriter.push(read) : read);
  const cut = (by: Cutter): void => {
    over = true;
    const last = stopped ? lastWords(answered, stopped, by) : by.ending();
    if (overBridge) write(rewritten(last));
    response.end(overBridge ? rewriter?.flush() : last);
    if (stopped) trail.interrupted(stopped, true);
    else trail.cut(by.outputTokens());
    answer.abort(stopped ?? new Error('the hold is used up'));
  };
  /** Asked after each push until something was said. */
  const listenForToken = (): void => {
    if (reader.stream?.metered().outputBytesSeen === 0) return;
    silent = false;
    trail.spoke();
  };
  trail.onInterrupt((refusal) => {
    if (over) return;
    const again = stopped !== null;
    stopped = refusal;
    if (cutter?.stop()) return cut(cutter);
    if (!again) return; // with the event it stands in; a whole answer is soon over
    over = true;
    trail.interrupted(refusal, false);
    response.destroy();
    answer.abort(refusal);
  });
  const passThenRead = (bytes: Buffer): void => {
    write(bytes);
    reader.push(bytes);
    if (cutter && cutter.endsWithin(bytes) !== null) cut(cutter);
  };
  const readThenPass = (bytes: Buffer): void => {
    try {
      const read = reader.push(bytes);
      const last = cutter?.endsWithin(bytes) ?? null;
      write(rewritten(last === null || reader.rewrites ? read : read.subarray(0, last)));
      if (cutter && last !== null) cut(cutter);
    } catch (failure) {
      answer.abort(failure as Error);
      end(null);
    }
  };
  answer.listen({
    data(chunk) {
      if (over) return;
      const clean = guard.pass(chunk);
      if (clean === null) {
        answer.abort(new Error('secret in the answer'));
        return end(null);
      }
      errorBody?.(clean);
      if (anew || cutter?.due) readThenPass(clean);
      else passThenRead(clean);
      if (silent) listenForToken();
    },
    end() {
      if (over) return;
      const rest = guard.flush();
      errorBody?.(rest);
      try {
        if (rest.length > 0) write(rewritten(reader.push(rest)));
        write(rewritten(reader.flush()));
        if (rewriter) write(rewriter.flush());
      } catch {
        return end(null); // what cannot be rewritten does not pass
      }
      response.end();
      trail.answered();
    },
    failed: (failure) => {
      if (!over) end(failure as SendFailure);
    },
  });
  return () => {
    over = true;
    response.end();
    trail.answered();
    answer.abort(new Error('the sidecar stops'));
  };
}

/** A model's stream ends as at its output limit; a tool's or an agent's answer, while one is due, with the refusal. */
function lastWords(call: Answered, refusal: Refusal, cutter: Cutter): Buffer {
  const { description, dialect, id, head, json, body } = call;
  if (!description?.acts.length || description.listens) return cutter.ending();
  const { body: text } = dialect.refuse(refusal, { callId: id, head, json, body });
  return Buffer.from(`event: message\ndata: ${text}\n\n`);
}

/** Of an answer that says no, its beginning stays with the call: it may be all that tells why. */
function keepErrorBody(answered: Answered): (chunk: Buffer) => void {
  const chunks: Buffer[] = [];
  let left = KEPT_ANSWER_BYTES_MAX;
  learn(answered, { errorBody: chunks });
  return (chunk) => {
    if (left > 0) chunks.push(chunk.subarray(0, left));
    left -= chunk.length;
  };
}

function compressed(): Refusal {
  const sentence = 'The upstream compressed an answer that has to be read, though asked not to.';
  return new Refusal('upstream_unreachable', sentence, { reason: 'compressed_answer', mayRetry: false });
}

function secretInAnswer(): Refusal {
  return new Refusal('upstream_unreachable', 'The upstream put a secret into its answer, which was ended.', {
    reason: 'secret_in_answer',
    mayRetry: false,
  });
}
