// How sums and rows are read from the store for people: the SQL that several questions share, written once.

import { RANGES, type Range, type Sums } from '../../contract/console.ts';

/** 64-bit integers as JSON numbers: counts of calls and tokens stay below 2⁵³. Money is made text before. */
export const AS_NUMBERS = 'SETTINGS output_format_json_quote_64bit_integers = 0';

/** ISO 8601 in UTC. */
export const isoTime = (column: string) => `concat(replaceOne(toString(${column}, 'UTC'), ' ', 'T'), 'Z')`;

/** Decimal dollars, wide enough for any sum, as whole nanodollars in text. */
export const nanodollars = (dollars: string) => `toString(toInt128(${dollars} * 1000000000))`;

/** The rollup whose steps are fine enough. */
export const rollupOf = (range: Range) =>
  RANGES[range].stepSeconds < 3_600 ? 'calls_1m AS rollup' : 'calls_1h AS rollup';

/** What was refused took no time worth a percentile. */
export const QUANTILES = `
  quantilesTDigestMergeIf(0.5, 0.95, 0.99)(rollup.duration_quantiles, status NOT IN ('refused', 'escalated')) AS quantiles,
  if(isFinite(quantiles[1]), quantiles[1], NULL) AS p50_ms, if(isFinite(quantiles[2]), quantiles[2], NULL) AS p95_ms`;

export const SUMS = `
  sum(rollup.calls) AS calls,
  sumIf(rollup.calls, status IN ('failure', 'timeout')) AS failed,
  sumIf(rollup.calls, status = 'refused') AS refused,
  sumIf(rollup.calls, status = 'escalated') AS escalated,
  sumIf(rollup.calls, would_verdict IN ('prohibited', 'deny', 'ask') AND status NOT IN ('refused', 'escalated')) AS would_refuse,
  sum(rollup.tokens_in) AS tokens_in,
  sum(rollup.tokens_out) AS tokens_out,
  sum(rollup.tokens_cached) AS tokens_cached,
  toString(sum(toInt128(rollup.cost_nanodollars))) AS cost_nanodollars,
  sum(rollup.unpriced) AS unpriced`;

export const CALL_COLUMNS = `
  ${isoTime('timestamp')} AS time,
  call_id, trace_id, span_id, parent_trace_id,
  agent_id AS agent, agent_instance AS instance, task_id AS task, caller_agent AS caller, grantor,
  action_type AS action, target, upstream, model, mode, verdict, would_verdict, rule, refusal, credential, ticket,
  status, http_status, duration_ms, tokens_in, tokens_out, tokens_cached,
  if(cost_usd IS NULL, NULL, ${nanodollars('toDecimal128(assumeNotNull(cost_usd), 9)')}) AS cost_nanodollars,
  usage_source, policy_digest`;

/** Everything together; money in exact integers. */
export function added(parts: readonly Sums[]): Sums {
  const plus = (name: Exclude<keyof Sums, 'cost_nanodollars'>) =>
    parts.reduce((sum, part) => sum + part[name], 0);
  return {
    calls: plus('calls'),
    failed: plus('failed'),
    refused: plus('refused'),
    escalated: plus('escalated'),
    would_refuse: plus('would_refuse'),
    tokens_in: plus('tokens_in'),
    tokens_out: plus('tokens_out'),
    tokens_cached: plus('tokens_cached'),
    cost_nanodollars: parts.reduce((sum, part) => sum + BigInt(part.cost_nanodollars), 0n).toString(),
    unpriced: plus('unpriced'),
  };
}
