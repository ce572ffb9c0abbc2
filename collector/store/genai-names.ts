// What each way of naming a model's call calls the same facts. The raw attributes stay as they came; the typed columns of
// otel_traces are filled by this table.
// Sources: OpenTelemetry's GenAI conventions (v1.36, v1.41, and their draft after), @arizeai/openinference-semantic-conventions,
// the AI SDK's telemetry (its ai.* spans), opentelemetry-semantic-conventions-ai (Traceloop).

/** `SemConv` of a span, by what names it; where several do, the later one here. */
export const CONVENTIONS = [
  '',
  'gen_ai',
  'gen_ai 1.36',
  'gen_ai 1.41',
  'gen_ai latest',
  'traceloop',
  'vercel',
  'openinference',
] as const;
type Convention = (typeof CONVENTIONS)[number];

/** A fact's names; where one span has several, the first that it lists. */
export const FACTS = {
  operation: ['gen_ai.operation.name'],
  kind: ['openinference.span.kind', 'ai.operationId', 'llm.request.type', 'traceloop.span.kind'],
  provider: ['gen_ai.provider.name'],
  system: ['gen_ai.system', 'llm.provider', 'llm.system', 'ai.model.provider'],
  requestModel: ['gen_ai.request.model', 'llm.model_name', 'llm.request.model_name', 'ai.model.id'],
  responseModel: ['gen_ai.response.model', 'llm.response.model_name', 'ai.response.model'],
  conversation: [
    'gen_ai.conversation.id',
    'session.id',
    'ai.telemetry.metadata.sessionId',
    'traceloop.association.properties.session_id',
  ],
  agent: ['gen_ai.agent.name', 'agent.name'],
  agentId: ['gen_ai.agent.id'],
  workflow: ['gen_ai.workflow.name', 'traceloop.workflow.name'],
  tool: ['gen_ai.tool.name', 'tool.name', 'ai.toolCall.name'],
  /** Of an agent or of a tool, as `kind` says. */
  entity: ['traceloop.entity.name'],
  inputTokens: [
    'gen_ai.usage.input_tokens',
    'gen_ai.usage.prompt_tokens',
    'llm.token_count.prompt',
    'llm.usage.prompt_tokens',
    'ai.usage.promptTokens',
    'ai.usage.inputTokens',
    'ai.usage.tokens',
  ],
  outputTokens: [
    'gen_ai.usage.output_tokens',
    'gen_ai.usage.completion_tokens',
    'llm.token_count.completion',
    'llm.usage.completion_tokens',
    'ai.usage.completionTokens',
    'ai.usage.outputTokens',
  ],
  cachedTokens: [
    'gen_ai.usage.cache_read.input_tokens',
    'gen_ai.usage.cache_read_input_tokens',
    'llm.token_count.prompt_details.cache_read',
    'ai.usage.cachedInputTokens',
    'ai.usage.inputTokenDetails.cacheReadTokens',
  ],
  cacheWriteTokens: [
    'gen_ai.usage.cache_creation.input_tokens',
    'gen_ai.usage.cache_write.input_tokens',
    'gen_ai.usage.cache_creation_input_tokens',
    'llm.token_count.prompt_details.cache_write',
    'ai.usage.inputTokenDetails.cacheWriteTokens',
  ],
  reasoningTokens: [
    'gen_ai.usage.reasoning.output_tokens',
    'gen_ai.usage.reasoning_tokens',
    'llm.usage.reasoning_tokens',
    'llm.token_count.completion_details.reasoning',
    'ai.usage.reasoningTokens',
    'ai.usage.outputTokenDetails.reasoningTokens',
  ],
  finishReasons: [
    'gen_ai.response.finish_reasons',
    'gen_ai.response.finish_reason',
    'gen_ai.completion.0.finish_reason',
    'llm.finish_reason',
    'llm.response.finish_reason',
    'ai.response.finishReason',
    'ai.finishReason',
  ],
  mcpMethod: ['mcp.method.name'],
  mcpSession: ['mcp.session.id'],
} as const satisfies Readonly<Record<string, readonly string[]>>;
export type Fact = keyof typeof FACTS;

/** Names that no other convention has. */
export const MARKS: Readonly<Partial<Record<Convention, readonly string[]>>> = {
  'gen_ai 1.36': ['gen_ai.system', 'gen_ai.usage.prompt_tokens', 'gen_ai.usage.completion_tokens'],
  'gen_ai 1.41': ['gen_ai.provider.name', 'gen_ai.usage.cache_creation.input_tokens'],
  'gen_ai latest': ['gen_ai.usage.cache_write.input_tokens'],
  traceloop: [
    'traceloop.span.kind',
    'traceloop.workflow.name',
    'traceloop.entity.name',
    'traceloop.entity.path',
    'llm.request.type',
    'llm.is_streaming',
    'llm.usage.total_tokens',
    'gen_ai.usage.cache_read_input_tokens',
    'gen_ai.completion.0.finish_reason',
  ],
  vercel: ['ai.operationId', 'ai.model.id', 'ai.toolCall.name'],
  openinference: ['openinference.span.kind', 'llm.token_count.prompt', 'llm.model_name'],
};

/** Providers by other names, in lower case, to the conventions' own. */
export const PROVIDERS: Readonly<Record<string, string>> = {
  'az.ai.openai': 'azure.ai.openai',
  azure: 'azure.ai.openai',
  'azure-openai': 'azure.ai.openai',
  'az.ai.inference': 'azure.ai.inference',
  aws: 'aws.bedrock',
  bedrock: 'aws.bedrock',
  'amazon-bedrock': 'aws.bedrock',
  gemini: 'gcp.gemini',
  google: 'gcp.gen_ai',
  'google.generative-ai': 'gcp.gemini',
  'google.vertex': 'gcp.vertex_ai',
  vertexai: 'gcp.vertex_ai',
  vertex_ai: 'gcp.vertex_ai',
  mistral: 'mistral_ai',
  mistralai: 'mistral_ai',
  moonshot: 'moonshot_ai',
  moonshotai: 'moonshot_ai',
  watsonx: 'ibm.watsonx.ai',
  xai: 'x_ai',
};

/** What a span's kind says of the operation; a round of calls is `invoke_agent`, for its tokens are its calls' once more. */
export const OPERATIONS: Readonly<Record<string, string>> = {
  LLM: 'chat',
  EMBEDDING: 'embeddings',
  RETRIEVER: 'retrieval',
  AGENT: 'invoke_agent',
  TOOL: 'execute_tool',
  chat: 'chat',
  completion: 'text_completion',
  embedding: 'embeddings',
  agent: 'invoke_agent',
  tool: 'execute_tool',
  workflow: 'invoke_workflow',
  'ai.generateText': 'invoke_agent',
  'ai.streamText': 'invoke_agent',
  'ai.generateObject': 'invoke_agent',
  'ai.streamObject': 'invoke_agent',
  'ai.generateText.doGenerate': 'chat',
  'ai.streamText.doStream': 'chat',
  'ai.generateObject.doGenerate': 'chat',
  'ai.streamObject.doStream': 'chat',
  'ai.embed.doEmbed': 'embeddings',
  'ai.embedMany.doEmbed': 'embeddings',
  'ai.toolCall': 'execute_tool',
};
