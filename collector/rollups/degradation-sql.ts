// What of an agent's last minutes says that it degrades, asked of the actions: calls that fail where others' do not, the
// very same call again and again, tokens far beyond its own normal. One row an agent, with the evidence.

export interface Finding {
  readonly agent: string;
  /** What was seen, as the end of a sentence that begins with the agent. */
  readonly evidence: string;
}

const FINDINGS_MAX = 200;
const IN_WINDOW = `timestamp >= fromUnixTimestamp64Milli({since:Int64}) AND agent_id != ''`;
const LET_THROUGH = `status IN ('success', 'failure', 'timeout')`;
const WITHIN = `' within ', toString({minutes:Float64}), ' min'`;
const ORDER = `ORDER BY agent LIMIT ${FINDINGS_MAX}`;

/** What fails for everybody is the upstream's fault, and no agent's. */
export const FAILURES = `
  SELECT agent_id AS agent, concat('failed in ', toString(failed), ' of ', toString(all), ' calls', ${WITHIN}) AS evidence
  FROM (
    SELECT agent_id, sum(calls) AS all,
      sum(if(others >= {min_calls:UInt32} AND others_failed >= {failure_rate:Float64} * others, 0, failures)) AS failed
    FROM (
      SELECT agent_id, count() AS calls, countIf(status IN ('failure', 'timeout')) AS failures,
        sum(calls) OVER (PARTITION BY upstream) - calls AS others,
        sum(failures) OVER (PARTITION BY upstream) - failures AS others_failed
      FROM actions WHERE ${IN_WINDOW} AND ${LET_THROUGH}
      GROUP BY agent_id, upstream
    )
    GROUP BY agent_id
    HAVING all >= {min_calls:UInt32} AND failed >= {failure_rate:Float64} * all
  ) ${ORDER}`;

/**
 * The same body to the same target, or the same arguments for the same tool, digest by digest. Digests are read only
 * where one agent calls one target often enough: no two are alike, and they are long.
 */
export const LOOP = `
  SELECT agent, concat('did the same ', toString(max(times)), ' times', ${WITHIN}, ': ', argMax(what, times)) AS evidence
  FROM (
    SELECT agent_id AS agent, target AS what, count() AS times FROM actions
    WHERE ${IN_WINDOW} AND refusal != 'agent_quarantined' AND (agent_id, target) IN (
      SELECT agent_id, target FROM actions WHERE ${IN_WINDOW}
      GROUP BY agent_id, target HAVING count() >= {same_calls:UInt32}
    )
    GROUP BY agent_id, target, request_digest
    HAVING request_digest != '' AND times >= {same_calls:UInt32}
    UNION ALL
    SELECT agent_id, concat('the tool ', tool_name), count() AS times FROM tool_requests
    WHERE ${IN_WINDOW} AND arguments_digest != ''
    GROUP BY agent_id, tool_name, arguments_digest
    HAVING times >= {same_calls:UInt32}
  )
  GROUP BY agent ${ORDER}`;

/** Against the agent's own seven days before, per minute in which it worked; a short history says nothing. */
export const TOKENS = `
  SELECT agent_id AS agent, concat('burns ', toString(toUInt64(rate)), ' tokens a minute', ${WITHIN},
    if(usual > 0, concat(', ', toString(round(rate / usual, 1)), ' times its own normal'), '')) AS evidence
  FROM (
    SELECT agent_id, sum(ifNull(actions.tokens_in, 0) + ifNull(actions.tokens_out, 0)) / {minutes:Float64} AS rate
    FROM actions WHERE ${IN_WINDOW} GROUP BY agent_id HAVING rate > 0
  ) AS now
  LEFT JOIN (
    SELECT agent_id, (sum(calls_1m.tokens_in) + sum(calls_1m.tokens_out)) / uniqExact(time) AS usual
    FROM calls_1m
    WHERE time >= fromUnixTimestamp64Milli({history:Int64}) AND time < toStartOfMinute(fromUnixTimestamp64Milli({since:Int64}))
      AND calls_1m.tokens_in + calls_1m.tokens_out > 0
    GROUP BY agent_id HAVING uniqExact(time) >= 60
  ) AS before USING (agent_id)
  WHERE ({tokens_per_minute:Float64} > 0 AND rate > {tokens_per_minute:Float64})
    OR (usual > 0 AND rate > {tokens_times:Float64} * usual)
  ${ORDER}`;
