-- What does each agent cost this month so far, against the same days of the month before?
-- When: before the month is over. `until` is the end of the stretch, such as now or 2026-11-21.
-- Parameters: until
-- Columns: agent_id, this_month_usd, month_before_usd, change_percent
SELECT
  agent_id, this_month_usd, month_before_usd,
  if(month_before_usd = 0, NULL, round(100 * (this_month_usd / month_before_usd - 1), 1)) AS change_percent
FROM (
  WITH if({until:String} = 'now', now(), parseDateTimeBestEffortOrZero({until:String})) AS until
  SELECT
    agent_id,
    sumIf(cost_nanodollars, time >= toStartOfMonth(until) AND time <= until) / 1e9 AS this_month_usd,
    sumIf(cost_nanodollars, time < toStartOfMonth(until) AND time <= addMonths(until, -1)) / 1e9 AS month_before_usd
  FROM calls_1h
  WHERE time >= addMonths(toStartOfMonth(until), -1)
  GROUP BY agent_id
)
WHERE this_month_usd > 0 OR month_before_usd > 0
ORDER BY this_month_usd DESC, agent_id

-- An answer, of a practice fleet:
--    ┌─agent_id─┬─this_month_usd─┬─month_before_usd─┬─change_percent─┐
-- 1. │ planner  │       0.015433 │                0 │           ᴺᵁᴸᴸ │
-- 2. │ looper   │       0.001356 │                0 │           ᴺᵁᴸᴸ │
-- 3. │ writer   │      0.0002185 │                0 │           ᴺᵁᴸᴸ │
-- 4. │ shadow   │       0.000205 │                0 │           ᴺᵁᴸᴸ │
--    └──────────┴────────────────┴──────────────────┴────────────────┘
