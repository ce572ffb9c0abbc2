// The one place where a failure becomes an answer, in the caller's own dialect. A refusal after the answer's head has
// gone can only end the connection.

import type { ServerResponse } from 'node:http';
import { Refusal } from '../contract/refusals.ts';
import { InvariantError } from '../kit/invariant.ts';
import { type Log, sentenceOf } from '../kit/log.ts';
import type { Known } from './call.ts';
import type { Dialect, RefusalAnswer } from './dialects/dialect.ts';
import type { Trail } from './trail.ts';

export interface Refusing {
  /** The dialect of an upstream, for refusals that come before the call was classified. */
  dialectFor(call: Known): Dialect;
  readonly log: Log;
}

/** A body that nobody read may still be coming: it is let run out for so long, then the connection is cut. */
const LINGER_MS = 5_000;

export function refuse(failure: unknown, call: Known, trail: Trail, use: Refusing): void {
  if (trail.closed) {
    trail.abandon();
    if (!call.response.writableEnded) call.response.destroy(); // else its last words are still on their way
    return;
  }
  const refusal = asRefusal(failure, call, use.log);
  call.answer?.abort(refusal); // nobody listens to it any more
  const asked: Known = call.later?.first ?? call; // in the form that the agent asked in
  const answer = (asked.dialect ?? use.dialectFor(call)).refuse(refusal, {
    callId: call.id,
    head: asked.head,
    json: call.json ?? asked.json,
    body: asked.body,
  });
  const status = refusal.detail.status ?? answer.status;
  trail.refused(refusal, status);
  respond(call, refusal, { ...answer, status });
}

function respond(call: Known, refusal: Refusal, answer: RefusalAnswer): void {
  const { response, request } = call;
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const headers: Record<string, string> = {
    ...answer.headers,
    'content-type': answer.contentType,
    'content-length': String(Buffer.byteLength(answer.body)),
    'x-outrider-call': call.id,
    'x-outrider-verdict': call.judgement?.verdict ?? 'deny',
    'x-outrider-refusal': refusal.code,
    'x-should-retry': String(refusal.mayRetry),
  };
  const { retryAfterSeconds, facts } = refusal.detail;
  if (retryAfterSeconds !== undefined) headers['retry-after'] = String(retryAfterSeconds);
  if (typeof facts?.ticket === 'string') headers['x-outrider-ticket'] = facts.ticket;
  response.writeHead(answer.status, headers);
  if (call.method !== 'HEAD') response.write(answer.body);
  if (request.complete) response.end();
  else linger(response);
}

/**
 * Reads on what the agent is still sending, so that it gets to read our answer instead of a reset: a connection that is
 * closed after the answer is closed with its end, under a client that still writes.
 */
function linger(response: ServerResponse): void {
  const { socket, req } = response;
  req.resume();
  const cut = setTimeout(() => socket?.destroy(), LINGER_MS);
  cut.unref();
  req.once('end', () => response.end());
  req.once('close', () => clearTimeout(cut));
}

function asRefusal(failure: unknown, call: Known, log: Log): Refusal {
  if (failure instanceof Refusal) return failure;
  const level = failure instanceof InvariantError ? 'call.invariant_broken' : 'call.crashed';
  log.error(level, {
    call: call.id,
    failure: sentenceOf(failure),
    stack: failure instanceof Error ? failure.stack : '',
  });
  return new Refusal('audit_unavailable', 'The sidecar failed on this call and let nothing through.', {
    reason: 'internal_error',
    mayRetry: false,
  });
}
