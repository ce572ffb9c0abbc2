-- What was held apart, by whom, why, from when to when, and what was refused meanwhile?
-- When: an incident is written up, or somebody asks why an agent stood still.
-- Parameters: since
-- Columns: subject, set_at, ended_at, how, actor, by_rule, reason, refused
SELECT
  subject, set_at, ended_at, how, actor, by_rule, reason,
  (SELECT count() FROM actions WHERE refusal = 'agent_quarantined' AND timestamp >= parseDateTime64BestEffort({since:String}, 3)) AS refused
FROM (
  SELECT
    timestamp AS set_at, JSONExtractString(details, 'subject') AS subject, actor, reason,
    JSONExtractString(details, 'by') = 'rule' AS by_rule
  FROM control_events WHERE event = 'quarantine_set' AND timestamp >= parseDateTime64BestEffort({since:String}, 3)
) AS begun
ASOF LEFT JOIN (
  SELECT timestamp AS ended_at, JSONExtractString(details, 'subject') AS subject, replaceOne(event, 'quarantine_', '') AS how
  FROM control_events WHERE event IN ('quarantine_lifted', 'quarantine_expired')
) AS ended ON ended.subject = begun.subject AND ended.ended_at >= begun.set_at
ORDER BY set_at DESC
