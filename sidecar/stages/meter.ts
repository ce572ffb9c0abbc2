// Count what was used while the answer streams past: each chunk goes to the agent first and is read after. The bytes
// are the upstream's own, but for a usage chunk that only we asked for and a model list cut to what is allowed; an
// answer that literally holds the injected secret is ended there.

import { Refusal } from '../../contract/refusals.ts';
import { answerHead, holdsSecret } from '../answer-head.ts';
import { type AnswerReader, readerOf } from '../answer-reader.ts';
import type { Answered } from '../call.ts';
import type { SendFailure } from '../edges/upstreams.ts';
import { filterModels, MODEL_LIST_BYTES_MAX } from '../model-list.ts';
import { type SecretGuard, secretGuard } from '../secret-guard.ts';
import type { Trail } from '../trail.ts';

export function meter(answered: Answered, trail: Trail): void {
  const { answer, outbound, endpoint } = answered;
  const reader = readerOf(answered);
  trail.answering(answer, () => reader.metered());
  if (holdsSecret(answer.headers, outbound.secret)) {
    answer.abort(new Error('secret in the answer'));
    throw secretInAnswer();
  }
  if (endpoint?.name === 'models' && answer.status === 200) return listModels(answered, trail);
  pass(answered, trail, reader, secretGuard(outbound.secret));
}

/** Bytes pass on as they come, no faster than the agent takes them. */
function pass(answered: Answered, trail: Trail, reader: AnswerReader, guard: SecretGuard): void {
  const { answer, response } = answered;
  response.writeHead(answer.status, answerHead(answered, reader.rewrites));
  const write = (bytes: Buffer): void => {
    if (bytes.length > 0 && !response.write(bytes)) answer.pause();
  };
  response.on('drain', () => answer.resume());
  const end = (failure: SendFailure | null): void => {
    trail.broken(failure);
    response.destroy();
  };
  answer.listen({
    data(chunk) {
      const clean = guard.pass(chunk);
      if (clean === null) {
        answer.abort(new Error('secret in the answer'));
        return end(null);
      }
      if (reader.rewrites) return write(reader.push(clean));
      write(clean);
      reader.push(clean);
    },
    end() {
      const rest = guard.flush();
      if (rest.length > 0) write(reader.push(rest));
      write(reader.flush());
      response.end();
      trail.answered();
    },
    failed: (failure) => end(failure as SendFailure),
  });
}

function listModels(answered: Answered, trail: Trail): void {
  const { answer, response } = answered;
  const chunks: Buffer[] = [];
  let total = 0;
  answer.listen({
    data(chunk) {
      total += chunk.length;
      if (total <= MODEL_LIST_BYTES_MAX) chunks.push(chunk);
      else answer.abort(new Error('the model list is too large'));
    },
    end() {
      const body = filterModels(Buffer.concat(chunks), answered);
      response.writeHead(answer.status, [
        ...answerHead(answered, true),
        'content-length',
        String(body.length),
      ]);
      response.end(body);
      trail.answered();
    },
    failed(failure) {
      trail.broken(failure as SendFailure);
      response.destroy();
    },
  });
}

function secretInAnswer(): Refusal {
  return new Refusal('upstream_unreachable', 'The upstream put a secret into its answer, which was ended.', {
    reason: 'secret_in_answer',
    mayRetry: false,
  });
}
