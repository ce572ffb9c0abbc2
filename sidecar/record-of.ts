// Gathers the record of a call from what it has learned: a refusal may come before most of it is known.

import { type Action, providerName, type Verdict } from '../contract/attributes.ts';
import type { Refusal } from '../contract/refusals.ts';
import { triesBefore } from './attempts/client-retries.ts';
import type { Known } from './call.ts';
import type { Charge } from './charge.ts';
import type { DeadLetterNote } from './dead-letters/dead-letters.ts';
import { destinationText } from './destination.ts';
import type { Metered } from './dialects/metered.ts';
import type { CallRecord } from './record.ts';

export interface Observed {
  readonly httpStatus: number;
  readonly upstreamStatus: number;
  readonly refusal: Refusal | null;
  readonly metered: Metered | null;
  readonly verdicts: { readonly verdict: Verdict; readonly would: Verdict };
  readonly durationMs: number;
  readonly firstByteMs: number | null;
  readonly deadLetter: DeadLetterNote | null;
}

export function recordOf(call: Known, charged: Charge, seen: Observed): CallRecord {
  const { agent, lineage, upstream, description, judgement, endpoint } = call;
  const { usage } = charged;
  const server = upstream ? serverOf(upstream.url) : NOWHERE;
  return {
    callId: call.id,
    traceId: lineage?.traceId ?? call.id.slice(0, 32),
    spanId: lineage?.spanId ?? call.id.slice(-16),
    parentSpanId: lineage?.parentSpanId ?? '',
    traceState: lineage?.traceState ?? '',
    startedAtMs: call.startedAtMs,
    durationMs: seen.durationMs,
    fleet: call.policy.config.fleet,
    department: agent?.entry.department ?? '',
    agent: agent?.name ?? '',
    instance: agent?.instance ?? '',
    agentVersion: agent?.entry.version ?? '',
    owner: agent?.entry.owner ?? '',
    task: lineage?.task ?? '',
    callerAgent: lineage?.callerAgent ?? '',
    grantor: lineage?.grantor ?? '',
    depth: lineage?.depth ?? 0,
    parentTraceId: lineage?.parentTraceId ?? '',
    action: actionOf(call),
    operation: endpoint?.operation ?? '',
    provider: upstream ? providerName(upstream.speaks, server.address) : '',
    target: judgement?.target ?? destinationText(call).slice(0, 2048),
    upstream: upstream?.name ?? (call.to.kind === 'upstream' ? call.to.name.slice(0, 128) : ''),
    method: call.method,
    rpc: upstream?.speaks === 'mcp' ? rpcOf(call) : null,
    path: (call.head?.path ?? call.path).slice(0, 2048),
    serverAddress: server.address,
    serverPort: server.port,
    requestModel: description?.model ?? '',
    responseModel: seen.metered?.model ?? '',
    model: charged.model,
    stream: description?.stream ?? false,
    // a request that asks no model for output has a limit of nothing, which is no limit
    maxTokens: (description?.outputTokensMax ?? call.outputTokensWritten) || null,
    mode: agent?.mode ?? call.policy.config.mode,
    verdict: seen.verdicts.verdict,
    wouldVerdict: seen.verdicts.would,
    wouldRefusal: call.wouldRefusal ?? '',
    rule: judgement?.rule ?? '',
    refusal: seen.refusal?.code ?? '',
    reason: seen.refusal?.detail.reason ?? '',
    policyDigest: call.policy.digest,
    credential: call.credentialName ?? '',
    ticket: '',
    status: charged.status,
    errorType: charged.errorType,
    httpStatus: seen.httpStatus,
    upstreamStatus: seen.upstreamStatus,
    responseId: seen.metered?.responseId ?? '',
    finishReasons: seen.metered?.finishReasons ?? [],
    tokensIn:
      usage &&
      usage.uncachedInputTokens +
        usage.cachedInputTokens +
        usage.cacheWriteTokens +
        usage.cacheWriteHourTokens,
    tokensOut: usage?.outputTokens ?? null,
    tokensCached: usage?.cachedInputTokens ?? null,
    tokensCacheWrite: usage && usage.cacheWriteTokens + usage.cacheWriteHourTokens,
    tokensReasoning: usage?.reasoningTokens ?? null,
    usageSource: charged.source,
    costNanodollars: charged.cost,
    heldNanodollars: call.held?.nanodollars ?? 0n,
    timeToFirstByteMs: seen.firstByteMs,
    requestDigest: call.bodyDigest ?? '',
    toolRequests: seen.metered?.toolRequests ?? [],
    attempt: call.later?.number ?? 1,
    retryOf: call.later?.first.id ?? '',
    asked: call.later?.asked ?? '',
    clientRetries: triesBefore(call.request.headers),
    deadLetter: seen.deadLetter,
    replayOf: call.replay?.letter ?? '',
  };
}

/** A call of a model is inference, of a tool server tool use, of another agent a handoff; all else is an API call. */
function actionOf({ upstream }: Known): Action {
  if (!upstream || upstream.speaks === 'http') return 'api_call';
  if (upstream.speaks === 'mcp') return 'tool_use';
  return upstream.speaks === 'a2a' ? 'handoff' : 'llm_inference';
}

/** A batch is named by its first message. */
function rpcOf({ description, head }: Known): CallRecord['rpc'] {
  const act = description?.acts[0];
  if (!act) return null;
  const text = (name: string): string => String(head?.headers[name] ?? '').slice(0, 256);
  return {
    method: act.method,
    name: act.name,
    session: text('mcp-session-id'),
    version: text('mcp-protocol-version'),
  };
}

const NOWHERE = { address: '', port: 0 };
/** Agents ask for as many hosts as they like. */
const SERVERS_MAX = 1_024;
const servers = new Map<string, { address: string; port: number }>();

function serverOf(url: string): { address: string; port: number } {
  let server = servers.get(url);
  if (!server) {
    const { hostname, port, protocol } = new URL(url);
    server = { address: hostname, port: port ? Number(port) : protocol === 'https:' ? 443 : 80 };
    if (servers.size >= SERVERS_MAX) servers.clear();
    servers.set(url, server);
  }
  return server;
}
