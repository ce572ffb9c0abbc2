CREATE TABLE IF NOT EXISTS agent_uses_local ON CLUSTER 'fleet' (
  agent_id LowCardinality(String),
  kind LowCardinality(String),
  name String CODEC(ZSTD(1)),
  first_seen SimpleAggregateFunction(min, DateTime64(3)) CODEC(ZSTD(1)),
  last_seen SimpleAggregateFunction(max, DateTime64(3)) CODEC(ZSTD(1)),
  calls SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1))
) ENGINE = ReplicatedAggregatingMergeTree
PARTITION BY toYYYYMM(last_seen)
ORDER BY (agent_id, kind, name)
SETTINGS index_granularity = 8192, replicated_deduplication_window = 100000, replicated_deduplication_window_seconds = 2419200, merge_selector_base = 12;

CREATE TABLE IF NOT EXISTS agent_uses ON CLUSTER 'fleet' AS agent_uses_local ENGINE = Distributed('fleet', currentDatabase(), 'agent_uses_local', cityHash64(agent_id));

CREATE MATERIALIZED VIEW IF NOT EXISTS agent_uses_mv ON CLUSTER 'fleet' TO agent_uses_local AS
SELECT agent_id, used.1 AS kind, used.2 AS name, min(timestamp) AS first_seen, max(timestamp) AS last_seen, count() AS calls
FROM (
  SELECT timestamp, agent_id, arrayJoin([
    ('upstream', toString(upstream)),
    ('credential', toString(credential)),
    ('version', toString(agent_version)),
    ('model', if(model = '', '', concat(upstream, '/', model))),
    ('tool', if(action_type = 'tool_use', target, '')),
    ('service', if(action_type = 'api_call', extract(target, '(https?://[^/]+)'), ''))
  ]) AS used
  FROM actions_local AS actions
  WHERE status NOT IN ('refused', 'escalated')
)
WHERE name != ''
GROUP BY agent_id, kind, name;

CREATE MATERIALIZED VIEW IF NOT EXISTS agent_uses_asked_mv ON CLUSTER 'fleet' TO agent_uses_local AS
SELECT agent_id, 'tool asked for by a model' AS kind, toString(tool_name) AS name,
  min(timestamp) AS first_seen, max(timestamp) AS last_seen, count() AS calls
FROM tool_requests_local AS tool_requests
WHERE name != ''
GROUP BY agent_id, kind, name;

INSERT INTO agent_uses
SELECT agent_id, used.1 AS kind, used.2 AS name, min(timestamp) AS first_seen, max(timestamp) AS last_seen, count() AS calls
FROM (
  SELECT timestamp, agent_id, arrayJoin([
    ('upstream', toString(upstream)),
    ('credential', toString(credential)),
    ('version', toString(agent_version)),
    ('model', if(model = '', '', concat(upstream, '/', model))),
    ('tool', if(action_type = 'tool_use', target, '')),
    ('service', if(action_type = 'api_call', extract(target, '(https?://[^/]+)'), ''))
  ]) AS used
  FROM actions
  WHERE status NOT IN ('refused', 'escalated')
)
WHERE name != ''
GROUP BY agent_id, kind, name
SETTINGS insert_deduplication_token = 'agent-uses-of-actions';

INSERT INTO agent_uses
SELECT agent_id, 'tool asked for by a model' AS kind, toString(tool_name) AS name,
  min(timestamp) AS first_seen, max(timestamp) AS last_seen, count() AS calls
FROM tool_requests
WHERE name != ''
GROUP BY agent_id, kind, name
SETTINGS insert_deduplication_token = 'agent-uses-asked-for';

CREATE VIEW IF NOT EXISTS agent_bom ON CLUSTER 'fleet' AS
SELECT
  agent_id, kind, name,
  sum(agent_uses.calls) AS calls,
  min(agent_uses.first_seen) AS first_seen,
  max(agent_uses.last_seen) AS last_seen
FROM agent_uses
GROUP BY agent_id, kind, name;
