ALTER TABLE actions_local ON CLUSTER 'fleet' ADD COLUMN IF NOT EXISTS depth UInt8 CODEC(ZSTD(1));

ALTER TABLE actions ON CLUSTER 'fleet' ADD COLUMN IF NOT EXISTS depth UInt8;

ALTER TABLE actions_mv ON CLUSTER 'fleet' MODIFY QUERY
-- plain keys: look-ups among LowCardinality ones take twice as long
WITH CAST(SpanAttributes, 'Map(String, String)') AS attributes
SELECT
  toDateTime64(Timestamp, 3) AS timestamp,
  attributes['outrider.agent'] AS agent_id,
  attributes['outrider.agent.instance'] AS agent_instance,
  attributes['outrider.agent.version'] AS agent_version,
  attributes['outrider.owner'] AS owner,
  attributes['outrider.fleet'] AS fleet_id,
  attributes['outrider.department'] AS department,
  attributes['outrider.task'] AS task_id,
  attributes['outrider.caller.agent'] AS caller_agent,
  attributes['outrider.grantor'] AS grantor,
  attributes['outrider.action'] AS action_type,
  attributes['outrider.target'] AS target,
  attributes['outrider.upstream'] AS upstream,
  attributes['outrider.model'] AS model,
  attributes['outrider.mode'] AS mode,
  attributes['outrider.verdict'] AS verdict,
  attributes['outrider.would_verdict'] AS would_verdict,
  attributes['outrider.rule'] AS rule,
  attributes['outrider.refusal'] AS refusal,
  attributes['outrider.credential'] AS credential,
  attributes['outrider.ticket'] AS ticket,
  attributes['outrider.approved_by'] AS approved_by,
  attributes['outrider.status'] AS status,
  toUInt16OrZero(attributes['outrider.http_status']) AS http_status,
  Duration / 1e6 AS duration_ms,
  toUInt64OrNull(attributes['gen_ai.usage.input_tokens']) AS tokens_in,
  toUInt64OrNull(attributes['gen_ai.usage.output_tokens']) AS tokens_out,
  toUInt64OrNull(attributes['gen_ai.usage.cache_read.input_tokens']) AS tokens_cached,
  toDecimal64(toInt64OrNull(attributes['outrider.cost.nanodollars']), 0) * toDecimal64('0.000000001', 9) AS cost_usd,
  attributes['outrider.usage.source'] AS usage_source,
  attributes['outrider.call.id'] AS call_id,
  TraceId AS trace_id,
  SpanId AS span_id,
  attributes['outrider.parent_trace_id'] AS parent_trace_id,
  attributes['outrider.policy.digest'] AS policy_digest,
  attributes['outrider.audit.stream'] AS audit_stream,
  toUInt64OrZero(attributes['outrider.audit.seq']) AS audit_seq,
  attributes['outrider.audit.hash'] AS audit_hash,
  attributes['outrider.audit.entry'] AS audit_entry,
  -- a first attempt does not say so
  if(attributes['outrider.attempt'] = '', 1, toUInt8OrZero(attributes['outrider.attempt'])) AS attempt,
  attributes['outrider.retry_of'] AS retry_of,
  attributes['outrider.asked'] AS asked,
  toUInt8OrZero(attributes['outrider.depth']) AS depth
FROM otel_traces_local AS otel_traces
WHERE ScopeName = 'outrider.sidecar' AND Sender != '';
