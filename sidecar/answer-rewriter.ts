// How an answer is written anew for the agent, where its dialect says so.

import { couldAllow } from '../contract/rules/judge.ts';
import type { Answered } from './call.ts';
import type { Rewriter } from './dialects/dialect.ts';
import { guarded } from './secret-guard.ts';
import type { BatchFiles } from './state/batch-files.ts';
import type { Pins } from './state/pins.ts';

/** What is remembered of answers that were rewritten or only looked at. */
export interface Rewriting {
  readonly pins: Pins;
  readonly batchFiles: BatchFiles;
}

/** What becomes of an answer's bytes and of its head. */
export interface Rewritten {
  /** Null where the bytes pass as they are. */
  readonly rewriter: Rewriter | null;
  /** Set on top of the upstream's own headers, null takes one out; null where all pass. */
  readonly headers: Readonly<Record<string, string | null>> | null;
}

const AS_IT_IS: Rewritten = { rewriter: null, headers: null };

/** Carried back over its bridge, where the call came over one. */
export function rewrittenAs(answered: Answered, use: Rewriting): Rewritten {
  const { later, answer, description, outbound } = answered;
  if (later?.bridge && description && later.first.description) {
    const carried = later.bridge.answer(answer.status, answer, later.first.description, description);
    return { ...carried, rewriter: carried.rewriter && guarded(carried.rewriter, outbound.secret) };
  }
  const rewriter = rewriterOf(answered, use);
  return rewriter ? { rewriter, headers: null } : AS_IT_IS;
}

function rewriterOf(answered: Answered, { pins, batchFiles }: Rewriting): Rewriter | null {
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
    keepFile: (id) => keepFile(answered, id, batchFiles),
  });
}

function keepFile(answered: Answered, id: string, batchFiles: BatchFiles): void {
  const { agent, upstream, policy, judgement, fileBound, description } = answered;
  const endpoint = description?.requests[0]?.description.endpoint.name;
  if (endpoint === undefined) return;
  batchFiles.keep(id, {
    agent: agent.name,
    upstream: upstream.name,
    endpoint,
    policyDigest: policy.digest,
    judgement,
    bound: fileBound,
  });
}

function reachedAs({ to, request, upstream }: Answered): string {
  return to.kind === 'upstream' ? `http://${request.headers.host}/${to.name}` : upstream.url;
}
