// Asks the store what agents did: calls alike counted together, and what models asked agents to run.

import type { Verdict } from '../../contract/attributes.ts';
import { DURATION_DAYS_MAX, readDuration } from '../../contract/config/units.ts';
import type { RecordedCalls } from '../../contract/recorded-calls.ts';
import { type Io, UsageError } from '../command.ts';
import { sqlDoor, sqlRows } from '../sql-door.ts';

export interface Stretch {
  /** An agent, or an entry of the config with `*`; undefined is the whole fleet. */
  readonly agent: string | undefined;
  readonly sinceMs: number;
}

const STATEMENT = `
SELECT * FROM (
SELECT agent_id AS agent, upstream, action_type AS action, target,
  JSONExtractString(audit_entry, 'requestModel') AS model,
  count() AS calls, countIf(status = 'success') AS succeeded,
  toUnixTimestamp64Milli(min(timestamp)) AS first, toUnixTimestamp64Milli(max(timestamp)) AS last,
  argMax(would_verdict, timestamp) AS would, argMax(rule, timestamp) AS last_rule,
  argMax(status, timestamp) AS last_status
FROM actions
WHERE timestamp >= fromUnixTimestamp64Milli({since:Int64}) AND match(agent_id, {agent:String})
GROUP BY ALL
UNION ALL
SELECT agent_id, '', 'tool_request', tool_name, '', count(), count(),
  toUnixTimestamp64Milli(min(timestamp)), toUnixTimestamp64Milli(max(timestamp)), 'allow', '', 'success'
FROM tool_requests
WHERE timestamp >= fromUnixTimestamp64Milli({since:Int64}) AND match(agent_id, {agent:String})
GROUP BY ALL
)
ORDER BY agent, action, target, model`;

interface Row {
  readonly agent: string;
  readonly upstream: string;
  readonly action: string;
  readonly target: string;
  readonly model: string;
  readonly calls: string;
  readonly succeeded: string;
  readonly first: string;
  readonly last: string;
  readonly would: Verdict;
  readonly last_rule: string;
  readonly last_status: string;
}

/** Throws an Error with a sentence when no door answers. */
export async function recordedCalls(
  { agent, sinceMs }: Stretch,
  url: string | undefined,
  io: Io,
): Promise<RecordedCalls[]> {
  const parameters = { since: String(sinceMs), agent: agent === undefined ? '' : patternOf(agent) };
  const rows = await sqlRows<Row>(sqlDoor(url, io), STATEMENT, parameters);
  return rows.map(({ calls, succeeded, first, last, would, last_rule, last_status, ...row }) => ({
    ...row,
    calls: Number(calls),
    succeeded: Number(succeeded),
    firstSeen: new Date(Number(first)).toISOString(),
    lastSeen: new Date(Number(last)).toISOString(),
    wouldVerdict: would,
    rule: last_rule,
    status: last_status,
  }));
}

/** Agents' names are plain but for `.` and, in an entry, `*`. */
function patternOf(agent: string): string {
  if (!/^[a-z0-9._*-]+$/.test(agent)) throw new UsageError(`No agent is called "${agent}".`);
  return `^${agent.replaceAll('.', '[.]').replaceAll('*', '.*')}$`;
}

/** `7d`, `12h`, or a day such as 2026-11-14: milliseconds since 1970. */
export function readSince(text: string, nowMs: number): number {
  const read = readDuration(text);
  if ('value' in read) return nowMs - read.value;
  if (/^\d+d$/.test(text)) throw new UsageError(`--since: at most ${DURATION_DAYS_MAX}d.`);
  const day = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(day))
    throw new UsageError('--since takes a time such as 7d or 12h, or a day such as 2026-11-14.');
  return day;
}
