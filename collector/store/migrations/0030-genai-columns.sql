-- A model's call in typed columns, whatever convention named its facts: filled by the load, no longer read from the map again.
ALTER TABLE otel_traces
  MODIFY COLUMN GenAiOperation LowCardinality(String) DEFAULT '',
  MODIFY COLUMN GenAiAgent LowCardinality(String) DEFAULT '',
  MODIFY COLUMN GenAiModel LowCardinality(String) DEFAULT '',
  MODIFY COLUMN GenAiTool LowCardinality(String) DEFAULT '',
  MODIFY COLUMN InputTokens Nullable(UInt64) DEFAULT NULL,
  MODIFY COLUMN OutputTokens Nullable(UInt64) DEFAULT NULL;

ALTER TABLE otel_traces
  -- which convention: gen_ai, gen_ai 1.36, gen_ai 1.41, gen_ai latest, traceloop, vercel, openinference; empty for others
  ADD COLUMN IF NOT EXISTS SemConv LowCardinality(String) CODEC(ZSTD(1)),
  ADD COLUMN IF NOT EXISTS GenAiProvider LowCardinality(String) CODEC(ZSTD(1)),
  ADD COLUMN IF NOT EXISTS GenAiResponseModel LowCardinality(String) CODEC(ZSTD(1)),
  ADD COLUMN IF NOT EXISTS GenAiConversation String CODEC(ZSTD(1)),
  ADD COLUMN IF NOT EXISTS GenAiAgentId LowCardinality(String) CODEC(ZSTD(1)),
  ADD COLUMN IF NOT EXISTS GenAiWorkflow LowCardinality(String) CODEC(ZSTD(1)),
  ADD COLUMN IF NOT EXISTS CachedTokens Nullable(UInt64) CODEC(T64, ZSTD(1)),
  ADD COLUMN IF NOT EXISTS CacheWriteTokens Nullable(UInt64) CODEC(T64, ZSTD(1)),
  ADD COLUMN IF NOT EXISTS ReasoningTokens Nullable(UInt64) CODEC(T64, ZSTD(1)),
  ADD COLUMN IF NOT EXISTS FinishReasons Array(LowCardinality(String)) CODEC(ZSTD(1)),
  ADD COLUMN IF NOT EXISTS McpMethod LowCardinality(String) CODEC(ZSTD(1)),
  ADD COLUMN IF NOT EXISTS McpSession String CODEC(ZSTD(1));
