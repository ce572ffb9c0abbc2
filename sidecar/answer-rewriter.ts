// How an answer is written anew for the agent, where its dialect says so.

import { couldAllow } from '../contract/rules/judge.ts';
import type { Answered } from './call.ts';
import type { Rewriter } from './dialects/dialect.ts';
import type { Pins } from './state/pins.ts';

/** Null where the answer's bytes pass as they are. */
export function rewriterOf(answered: Answered, pins: Pins): Rewriter | null {
  const { dialect, description, head, answer, upstream, agent } = answered;
  const observing = agent.mode === 'observe';
  if (!description?.rewritten || !dialect.rewriter) return null;
  return dialect.rewriter({
    upstream: upstream.name,
    upstreamUrl: upstream.url,
    reachedAs: reachedAs(answered),
    description,
    head,
    status: answer.status,
    contentType: answer.header('content-type') ?? '',
    allows: (subject) => observing || couldAllow(agent.rules, subject),
    pinned: (tool, digest) => pins.see({ upstream: upstream.name, tool, digest }) || observing,
  });
}

function reachedAs({ to, request, upstream }: Answered): string {
  return to.kind === 'upstream' ? `http://${request.headers.host}/${to.name}` : upstream.url;
}
