-- How much of the usage is reported by providers, how much only estimated, how much unknown?
-- When: our figures and a provider's bill differ.
-- Parameters: since
-- Columns: upstream, model, usage_source, calls, tokens, cost_usd, share_percent
SELECT
  upstream, model, usage_source, count() AS calls,
  sum(ifNull(tokens_in, 0) + ifNull(tokens_out, 0)) AS tokens,
  sum(actions.cost_usd) AS cost_usd,
  round(100 * count() / sum(count()) OVER (PARTITION BY upstream, model), 1) AS share_percent
FROM actions
WHERE action_type = 'llm_inference' AND status NOT IN ('refused', 'escalated')
  AND timestamp >= parseDateTime64BestEffort({since:String}, 3)
GROUP BY upstream, model, usage_source
ORDER BY upstream, model, calls DESC, usage_source

-- An answer, of a practice fleet:
--    ┌─upstream──┬─model────────────┬─usage_source─┬─calls─┬─tokens─┬──cost_usd─┬─share_percent─┐
-- 1. │ anthropic │ claude-haiku-4-5 │ reported     │    12 │    492 │  0.001356 │           100 │
-- 2. │ openai    │ gpt-5            │ reported     │     3 │    118 │   0.00062 │           100 │
-- 3. │ openai    │ gpt-5-mini       │ reported     │     3 │    110 │ 0.0000975 │            75 │
-- 4. │ openai    │ gpt-5-mini       │ estimated    │     1 │      0 │  0.000139 │            25 │
--    └───────────┴──────────────────┴──────────────┴───────┴────────┴───────────┴───────────────┘
