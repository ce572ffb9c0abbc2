-- Which policy was in force, where, since when, put there by whom, and what it said.
CREATE VIEW IF NOT EXISTS policies AS
SELECT
  digest, agent_id, agent_instance, in_force_from, actor, texts.text AS text, fleet_id
FROM (
  SELECT
    JSONExtractString(details, 'digest') AS digest,
    agent_id,
    JSONExtractString(details, 'instance') AS agent_instance,
    fromUnixTimestamp64Milli(JSONExtractInt(details, 'loaded_at'), 'UTC') AS in_force_from,
    actor,
    JSONExtractString(details, 'fleet') AS fleet_id
  FROM control_events
  WHERE event = 'policy_in_force'
) AS loaded
-- the text comes with the first event that names its digest, and with no other
LEFT JOIN (
  SELECT JSONExtractString(details, 'digest') AS digest, max(JSONExtractString(details, 'text')) AS text
  FROM control_events
  WHERE event = 'policy_in_force'
  GROUP BY digest
) AS texts USING (digest);
