// The record of one call: every fact an auditor asks for, in one flat object. From it come the sealed audit entry and
// the span; the collector's `actions` row is the span's attributes under their column names.

import { hash } from 'node:crypto';
import {
  type Action,
  ATTRIBUTES,
  type Mode,
  type Status,
  type UsageSource,
  type Verdict,
} from '../contract/attributes.ts';
import { ENTRY_VERSION, type Sealed } from '../contract/audit-entry.ts';
import type { DeadLetterNote } from './dead-letters/dead-letters.ts';
import type { ToolRequest } from './dialects/metered.ts';

/** Its members stand in the order of their names, for the seal. */
export interface RpcFacts {
  readonly method: string;
  /** The tool, or `resource:<uri>`, `prompt:<name>`; empty for a side method. */
  readonly name: string;
  readonly session: string;
  readonly version: string;
}

export interface CallRecord {
  readonly callId: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly traceState: string;
  /** Milliseconds since 1970, with a fraction. */
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly fleet: string;
  readonly department: string;
  readonly agent: string;
  readonly instance: string;
  readonly agentVersion: string;
  readonly owner: string;
  readonly task: string;
  readonly callerAgent: string;
  readonly grantor: string;
  readonly depth: number;
  readonly parentTraceId: string;
  readonly action: Action;
  readonly operation: string;
  readonly provider: string;
  readonly target: string;
  readonly upstream: string;
  readonly method: string;
  readonly path: string;
  /** What was asked of a tool server; null elsewhere. */
  readonly rpc: RpcFacts | null;
  readonly serverAddress: string;
  readonly serverPort: number;
  readonly requestModel: string;
  readonly responseModel: string;
  /** The one priced. */
  readonly model: string;
  readonly stream: boolean;
  readonly maxTokens: number | null;
  readonly mode: Mode;
  readonly verdict: Verdict;
  readonly wouldVerdict: Verdict;
  /** What enforcing would have refused an observed call with, first of all; empty where nothing. */
  readonly wouldRefusal: string;
  readonly rule: string;
  readonly refusal: string;
  readonly reason: string;
  readonly policyDigest: string;
  readonly credential: string;
  readonly ticket: string;
  readonly status: Status;
  readonly errorType: string;
  /** What the agent got; 0 if nothing. */
  readonly httpStatus: number;
  /** What the upstream answered; 0 if nothing. */
  readonly upstreamStatus: number;
  readonly responseId: string;
  readonly finishReasons: readonly string[];
  readonly tokensIn: number | null;
  readonly tokensOut: number | null;
  readonly tokensCached: number | null;
  readonly tokensCacheWrite: number | null;
  readonly tokensReasoning: number | null;
  readonly usageSource: UsageSource;
  /** Null when no rate is known for what was used. */
  readonly costNanodollars: bigint | null;
  readonly heldNanodollars: bigint;
  readonly timeToFirstByteMs: number | null;
  readonly requestDigest: string;
  readonly toolRequests: readonly ToolRequest[];
  /** 1 for a call as it came; a retry or fallback is one more, and a record of its own. */
  readonly attempt: number;
  /** The call id of the first attempt; empty on it. */
  readonly retryOf: string;
  /** `upstream/model` that was asked for, where a fallback was sent in its place; else empty. */
  readonly asked: string;
  /** How often the client says it tried this before, by itself. */
  readonly clientRetries: number;
  /** What it says of itself as a dead letter; null for nearly all. */
  readonly deadLetter: DeadLetterNote | null;
  /** The letter that it replays: the id of the call that failed; else empty. */
  readonly replayOf: string;
}

/**
 * Seals the record as the next link of its stream. The members stand in the order of their names, so the native
 * serialiser writes canonical JSON at once; a test holds it to `canonicalJson`.
 */
export function sealRecord(
  record: CallRecord,
  link: { readonly stream: string; readonly seq: number; readonly previous: string },
): Sealed {
  const entry = JSON.stringify({
    action: record.action,
    agent: record.agent,
    agentVersion: record.agentVersion,
    asked: record.asked,
    attempt: record.attempt,
    callId: record.callId,
    callerAgent: record.callerAgent,
    clientRetries: record.clientRetries,
    costNanodollars: record.costNanodollars === null ? null : record.costNanodollars.toString(),
    credential: record.credential,
    deadLetter: record.deadLetter?.mark ?? '',
    department: record.department,
    depth: record.depth,
    durationNanoseconds: Number(nanoseconds(Math.max(0, record.durationMs))),
    errorType: record.errorType,
    finishReasons: record.finishReasons,
    fleet: record.fleet,
    grantor: record.grantor,
    heldNanodollars: record.heldNanodollars.toString(),
    httpStatus: record.httpStatus,
    instance: record.instance,
    maxTokens: record.maxTokens,
    method: record.method,
    mode: record.mode,
    model: record.model,
    operation: record.operation,
    owner: record.owner,
    parentSpanId: record.parentSpanId,
    parentTraceId: record.parentTraceId,
    path: record.path,
    policyDigest: record.policyDigest,
    previous: link.previous,
    provider: record.provider,
    reason: record.reason,
    refusal: record.refusal,
    replayOf: record.replayOf,
    requestDigest: record.requestDigest,
    requestModel: record.requestModel,
    responseId: record.responseId,
    responseModel: record.responseModel,
    retryOf: record.retryOf,
    rpc: record.rpc,
    rule: record.rule,
    seq: link.seq,
    serverAddress: record.serverAddress,
    serverPort: record.serverPort,
    spanId: record.spanId,
    startedAtMs: Number(nanoseconds(record.startedAtMs) / NANOSECONDS_PER_MS),
    status: record.status,
    stream: link.stream,
    streamed: record.stream,
    target: record.target,
    task: record.task,
    ticket: record.ticket,
    tokensCacheWrite: record.tokensCacheWrite,
    tokensCached: record.tokensCached,
    tokensIn: record.tokensIn,
    tokensOut: record.tokensOut,
    tokensReasoning: record.tokensReasoning,
    toolRequests: record.toolRequests.map(({ argumentsDigest, id, name }) => ({ argumentsDigest, id, name })),
    traceId: record.traceId,
    upstream: record.upstream,
    upstreamStatus: record.upstreamStatus,
    usageSource: record.usageSource,
    verdict: record.verdict,
    version: ENTRY_VERSION,
    wouldRefusal: record.wouldRefusal,
    wouldVerdict: record.wouldVerdict,
  });
  return { ...link, hash: hash('sha256', entry, 'hex'), entry };
}

const NANOSECONDS_PER_MS = 1_000_000n;

/**
 * Milliseconds with a fraction as spans say times, without losing the whole milliseconds to a float: what is sealed and what
 * is stored agree to the last one.
 */
export function nanoseconds(ms: number): bigint {
  const whole = Math.floor(ms);
  return BigInt(whole) * NANOSECONDS_PER_MS + BigInt(Math.round((ms - whole) * 1_000_000));
}

export type AttributeValue = string | number | bigint | boolean | readonly string[];

/** The span's attributes, in a fixed order; whoever writes them leaves out what is empty or null. */
export function attributesOf(
  record: CallRecord,
  sealed: Sealed,
): readonly (readonly [name: string, value: AttributeValue | null])[] {
  return [
    [ATTRIBUTES.callId, record.callId],
    [ATTRIBUTES.fleet, record.fleet],
    [ATTRIBUTES.department, record.department],
    [ATTRIBUTES.agent, record.agent],
    [ATTRIBUTES.instance, record.instance],
    [ATTRIBUTES.agentVersion, record.agentVersion],
    [ATTRIBUTES.owner, record.owner],
    [ATTRIBUTES.task, record.task],
    [ATTRIBUTES.callerAgent, record.callerAgent],
    [ATTRIBUTES.grantor, record.grantor],
    [ATTRIBUTES.depth, record.depth],
    [ATTRIBUTES.parentTraceId, record.parentTraceId],
    [ATTRIBUTES.action, record.action],
    [ATTRIBUTES.operation, record.operation],
    [ATTRIBUTES.provider, record.provider],
    [ATTRIBUTES.target, record.target],
    [ATTRIBUTES.upstream, record.upstream],
    [ATTRIBUTES.method, record.method],
    [ATTRIBUTES.urlPath, record.path],
    [ATTRIBUTES.rpcMethod, record.rpc?.method ?? null],
    [ATTRIBUTES.rpcSession, record.rpc?.session ?? null],
    [ATTRIBUTES.rpcVersion, record.rpc?.version ?? null],
    [ATTRIBUTES.toolName, record.rpc?.method === 'tools/call' ? record.rpc.name : null],
    [ATTRIBUTES.serverAddress, record.serverAddress],
    [ATTRIBUTES.serverPort, record.serverPort || null],
    [ATTRIBUTES.requestModel, record.requestModel],
    [ATTRIBUTES.responseModel, record.responseModel],
    [ATTRIBUTES.model, record.model],
    [ATTRIBUTES.requestStream, record.stream ? true : null],
    [ATTRIBUTES.requestMaxTokens, record.maxTokens],
    [ATTRIBUTES.mode, record.mode],
    [ATTRIBUTES.verdict, record.verdict],
    [ATTRIBUTES.wouldVerdict, record.wouldVerdict],
    [ATTRIBUTES.wouldRefusal, record.wouldRefusal],
    [ATTRIBUTES.rule, record.rule],
    [ATTRIBUTES.refusal, record.refusal],
    [ATTRIBUTES.reason, record.reason],
    [ATTRIBUTES.policyDigest, record.policyDigest],
    [ATTRIBUTES.credential, record.credential],
    [ATTRIBUTES.ticket, record.ticket],
    [ATTRIBUTES.status, record.status],
    [ATTRIBUTES.errorType, record.errorType],
    [ATTRIBUTES.httpStatus, record.httpStatus],
    [ATTRIBUTES.upstreamStatus, record.upstreamStatus || null],
    [ATTRIBUTES.responseId, record.responseId],
    [ATTRIBUTES.finishReasons, record.finishReasons.length > 0 ? record.finishReasons : null],
    [ATTRIBUTES.inputTokens, record.tokensIn],
    [ATTRIBUTES.outputTokens, record.tokensOut],
    [ATTRIBUTES.cachedTokens, record.tokensCached],
    [ATTRIBUTES.cacheWriteTokens, record.tokensCacheWrite || null],
    [ATTRIBUTES.reasoningTokens, record.tokensReasoning || null],
    [ATTRIBUTES.usageSource, record.usageSource],
    [ATTRIBUTES.cost, record.costNanodollars],
    [ATTRIBUTES.held, record.heldNanodollars],
    [ATTRIBUTES.requestDigest, record.requestDigest],
    [ATTRIBUTES.attempt, record.attempt > 1 ? record.attempt : null],
    [ATTRIBUTES.retryOf, record.retryOf],
    [ATTRIBUTES.asked, record.asked],
    [ATTRIBUTES.clientRetries, record.clientRetries || null],
    ...letterAttributes(record),
    [ATTRIBUTES.auditStream, sealed.stream],
    [ATTRIBUTES.auditSeq, sealed.seq],
    [ATTRIBUTES.auditHash, sealed.hash],
    [ATTRIBUTES.auditEntry, sealed.entry],
  ];
}

function letterAttributes({ deadLetter, replayOf }: CallRecord): readonly (readonly [string, string])[] {
  if (deadLetter === null && replayOf === '') return NO_LETTER;
  return [
    [ATTRIBUTES.replayOf, replayOf],
    [ATTRIBUTES.deadLetter, deadLetter?.mark ?? ''],
    [ATTRIBUTES.deadLetterCall, deadLetter?.callDigest ?? ''],
    [ATTRIBUTES.deadLetterMessage, deadLetter?.message ?? ''],
    [ATTRIBUTES.deadLetterRequest, deadLetter?.request ?? ''],
    [ATTRIBUTES.deadLetterAnswer, deadLetter?.answer ?? ''],
    [ATTRIBUTES.deadLetterNotKept, deadLetter?.notKept ?? ''],
  ];
}

const NO_LETTER: readonly [] = [];
