// Every span attribute a sidecar writes, declared once: the collector's SQL, the docs and the tests name only these.
// GenAI names follow the OpenTelemetry GenAI semantic conventions (v1.41); `outrider.*` is ours.

export const SCOPE_NAME = 'outrider.sidecar';

export const ATTRIBUTES = {
  operation: 'gen_ai.operation.name',
  provider: 'gen_ai.provider.name',
  requestModel: 'gen_ai.request.model',
  responseModel: 'gen_ai.response.model',
  responseId: 'gen_ai.response.id',
  finishReasons: 'gen_ai.response.finish_reasons',
  requestStream: 'gen_ai.request.stream',
  requestMaxTokens: 'gen_ai.request.max_tokens',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  cachedTokens: 'gen_ai.usage.cache_read.input_tokens',
  cacheWriteTokens: 'gen_ai.usage.cache_creation.input_tokens',
  reasoningTokens: 'gen_ai.usage.reasoning.output_tokens',
  timeToFirstByte: 'gen_ai.response.time_to_first_chunk',
  errorType: 'error.type',
  method: 'http.request.method',
  upstreamStatus: 'http.response.status_code',
  serverAddress: 'server.address',
  serverPort: 'server.port',
  urlPath: 'url.path',
  rpcMethod: 'mcp.method.name',
  rpcSession: 'mcp.session.id',
  rpcVersion: 'mcp.protocol.version',
  toolName: 'gen_ai.tool.name',
  toolCallId: 'gen_ai.tool.call.id',

  callId: 'outrider.call.id',
  fleet: 'outrider.fleet',
  department: 'outrider.department',
  agent: 'outrider.agent',
  instance: 'outrider.agent.instance',
  agentVersion: 'outrider.agent.version',
  owner: 'outrider.owner',
  task: 'outrider.task',
  callerAgent: 'outrider.caller.agent',
  grantor: 'outrider.grantor',
  depth: 'outrider.depth',
  parentTraceId: 'outrider.parent_trace_id',
  action: 'outrider.action',
  target: 'outrider.target',
  upstream: 'outrider.upstream',
  model: 'outrider.model',
  mode: 'outrider.mode',
  verdict: 'outrider.verdict',
  wouldVerdict: 'outrider.would_verdict',
  wouldRefusal: 'outrider.would_refusal',
  rule: 'outrider.rule',
  refusal: 'outrider.refusal',
  reason: 'outrider.refusal.reason',
  policyDigest: 'outrider.policy.digest',
  credential: 'outrider.credential',
  ticket: 'outrider.ticket',
  approvedBy: 'outrider.approved_by',
  status: 'outrider.status',
  httpStatus: 'outrider.http_status',
  usageSource: 'outrider.usage.source',
  cost: 'outrider.cost.nanodollars',
  held: 'outrider.held.nanodollars',
  requestDigest: 'outrider.request.body.sha256',
  toolArgumentsDigest: 'outrider.tool.arguments.sha256',
  attempt: 'outrider.attempt',
  retryOf: 'outrider.retry_of',
  asked: 'outrider.asked',
  clientRetries: 'outrider.client_retries',
  deadLetter: 'outrider.dead_letter',
  deadLetterCall: 'outrider.dead_letter.call.sha256',
  deadLetterMessage: 'outrider.dead_letter.message',
  deadLetterRequest: 'outrider.dead_letter.request.sha256',
  deadLetterAnswer: 'outrider.dead_letter.answer.sha256',
  deadLetterNotKept: 'outrider.dead_letter.not_kept',
  replayOf: 'outrider.replay_of',
  auditStream: 'outrider.audit.stream',
  auditSeq: 'outrider.audit.seq',
  auditHash: 'outrider.audit.hash',
  auditEntry: 'outrider.audit.entry',
} as const;

/** Resource attribute of a shipped request: which links of which chains it holds, see contract/chain-ranges.ts. */
export const CHAINS_ATTRIBUTE = 'outrider.audit.chains';

/** Span event, one for each tool a model asked its agent to run; carries toolName, toolCallId, toolArgumentsDigest. */
export const TOOL_REQUEST_EVENT = 'outrider.tool_request';

export const ACTIONS = ['llm_inference', 'tool_use', 'api_call', 'handoff', 'decision'] as const;
export type Action = (typeof ACTIONS)[number];

export const VERDICTS = ['prohibited', 'deny', 'ask', 'notify', 'allow'] as const;
export type Verdict = (typeof VERDICTS)[number];

export const STATUSES = ['success', 'failure', 'timeout', 'refused', 'escalated'] as const;
export type Status = (typeof STATUSES)[number];

export const USAGE_SOURCES = ['reported', 'estimated', 'unsupported', 'none'] as const;
export type UsageSource = (typeof USAGE_SOURCES)[number];

export const MODES = ['observe', 'enforce'] as const;
export type Mode = (typeof MODES)[number];

export const DIALECTS = ['openai', 'anthropic', 'gemini', 'bedrock', 'mcp', 'a2a', 'http'] as const;
export type DialectName = (typeof DIALECTS)[number];

/** The dialects of model providers: every path of such an upstream is a known endpoint or refused. */
export const LLM_DIALECTS: readonly DialectName[] = ['openai', 'anthropic', 'gemini', 'bedrock'];
/** `gen_ai.provider.name`, as the conventions call who serves a dialect; empty for what is no model's. */
const PROVIDERS: Readonly<Partial<Record<DialectName, string>>> = {
  openai: 'openai',
  anthropic: 'anthropic',
  gemini: 'gcp.gemini',
  bedrock: 'aws.bedrock',
};
/** Google serves the same dialect at two providers of the conventions; at hosts of this one it is the other. */
export const VERTEX_HOST = /^(?:[a-z0-9-]+[.-])?aiplatform\.googleapis\.com$/;
export const providerName = (dialect: DialectName, host: string): string =>
  dialect === 'gemini' && VERTEX_HOST.test(host) ? 'gcp.vertex_ai' : (PROVIDERS[dialect] ?? '');

export const speaksLlm = (dialect: DialectName): boolean => LLM_DIALECTS.includes(dialect);
