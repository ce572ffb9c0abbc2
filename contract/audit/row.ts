// A row of `actions` beside the entry that was sealed when its call ended: they agree column by column, or somebody
// changed the row. What an entry of an earlier release does not say is held to nothing.

import { hash } from 'node:crypto';
import { parseStrict } from '../../kit/strict-json.ts';

/** A row as exported: texts, numbers as strings, null where nothing is known. */
export type ExportedRow = Readonly<Record<string, string | number | null | undefined>>;

/** A sealed entry, whatever its version. */
export type SealedEntry = Readonly<Record<string, unknown>> & {
  readonly stream: string;
  readonly seq: number;
  readonly previous: string;
};

export function hashOfEntry(entry: string): string {
  return hash('sha256', entry, 'hex');
}

/** Null for what is no JSON object with stream, seq and previous. */
export function readEntry(text: string): SealedEntry | null {
  try {
    const entry = JSON.parse(text) as Partial<SealedEntry> | null;
    const isEntry =
      typeof entry?.stream === 'string' &&
      Number.isSafeInteger(entry.seq) &&
      typeof entry.previous === 'string';
    return isEntry ? (entry as SealedEntry) : null;
  } catch {
    return null; // not even JSON: whoever asked names the record
  }
}

/** Column and the entry's member that it shows as it is; texts, integers, or null. */
const SAME: readonly (readonly [column: string, member: string])[] = [
  ['agent_id', 'agent'],
  ['agent_instance', 'instance'],
  ['agent_version', 'agentVersion'],
  ['owner', 'owner'],
  ['fleet_id', 'fleet'],
  ['department', 'department'],
  ['task_id', 'task'],
  ['caller_agent', 'callerAgent'],
  ['grantor', 'grantor'],
  ['action_type', 'action'],
  ['target', 'target'],
  ['upstream', 'upstream'],
  ['model', 'model'],
  ['mode', 'mode'],
  ['verdict', 'verdict'],
  ['would_verdict', 'wouldVerdict'],
  ['rule', 'rule'],
  ['refusal', 'refusal'],
  ['credential', 'credential'],
  ['ticket', 'ticket'],
  ['status', 'status'],
  ['http_status', 'httpStatus'],
  ['tokens_in', 'tokensIn'],
  ['tokens_out', 'tokensOut'],
  ['tokens_cached', 'tokensCached'],
  ['usage_source', 'usageSource'],
  ['call_id', 'callId'],
  ['trace_id', 'traceId'],
  ['span_id', 'spanId'],
  ['parent_trace_id', 'parentTraceId'],
  ['policy_digest', 'policyDigest'],
  ['attempt', 'attempt'],
  ['retry_of', 'retryOf'],
  ['asked', 'asked'],
];

/** The same; exports of before there were these columns are none the worse. */
const LATER: typeof SAME = [
  ['request_digest', 'requestDigest'],
  ['would_refusal', 'wouldRefusal'],
  ['error_type', 'errorType'],
];

/** The first column that says otherwise than its entry, or null. */
export function disagreement(row: ExportedRow, entry: SealedEntry): string | null {
  for (const [column, member] of SAME) if (!shows(row[column], entry[member])) return column;
  for (const [column, member] of LATER)
    if (row[column] !== undefined && !shows(row[column], entry[member])) return column;
  if (!isDepth(row.depth, entry)) return 'depth';
  if ((row.approved_by ?? '') !== (entry.approvedBy ?? '')) return 'approved_by';
  if (!isCost(row.cost_usd, entry.costNanodollars)) return 'cost_usd';
  if (!isDuration(row.duration_ms, entry)) return 'duration_ms';
  if (!isStart(row.timestamp, entry)) return 'timestamp';
  return null;
}

/** An entry of before the member was sealed says nothing of it. */
function shows(value: ExportedRow[string], sealed: unknown): boolean {
  if (sealed === undefined) return true;
  if (typeof sealed === 'string') return value === sealed || value === sealed.toWellFormed();
  if (sealed === null) return value === null;
  return value !== null && value !== undefined && String(value) === String(sealed);
}

/** Rows of before there was such a column show 0. */
function isDepth(depth: ExportedRow[string], entry: SealedEntry): boolean {
  return shows(depth, entry.depth) || (entry.version === undefined && Number(depth ?? 0) === 0);
}

const COST = /^(\d+)(?:\.(\d{1,9}))?$/;

function isCost(dollars: ExportedRow[string], sealed: unknown): boolean {
  if (sealed === null) return dollars === null;
  const [, whole, fraction = ''] = COST.exec(String(dollars)) ?? [];
  return whole !== undefined && String(BigInt(whole + fraction.padEnd(9, '0'))) === sealed;
}

const NANOSECONDS_PER_MS = 1e6;

/** Entries without a version have it rounded to milliseconds. */
function isDuration(milliseconds: ExportedRow[string], entry: SealedEntry): boolean {
  const shown = Number(milliseconds);
  if (typeof entry.durationNanoseconds === 'number')
    return shown === entry.durationNanoseconds / NANOSECONDS_PER_MS;
  return Math.abs(shown - Number(entry.durationMs)) <= 0.5;
}

const DAY_MS = 86_400_000;
const CLAMP_PAST_MS = 90 * DAY_MS;
const CLAMP_FUTURE_MS = DAY_MS;

/** Or when its request came, if the clock was broken: the log knows that (moved-rows.ts). Entries without a version may be early. */
function isStart(timestamp: ExportedRow[string], entry: SealedEntry): boolean {
  const shown = millisecondsOf(String(timestamp));
  return isAsBegun(shown, entry) || isClampedTo(shown, Number(entry.startedAtMs));
}

export function isAsBegun(shownMs: number, { startedAtMs, version }: SealedEntry): boolean {
  const started = Number(startedAtMs);
  return shownMs === started || (version === undefined && shownMs === started + 1);
}

/**
 * A start more than 90 days before the request came, or a day after, is a broken clock: the store shows when it came
 * instead. Both in milliseconds, rounded.
 */
export function isClampedTo(receivedMs: number, startedMs: number): boolean {
  return startedMs + CLAMP_PAST_MS < receivedMs + 1 || startedMs >= receivedMs + CLAMP_FUTURE_MS;
}

/** Between which times, in milliseconds, the rows of requests stand that came from `sinceMs` until before `untilMs`. */
export function shownBetween(
  sinceMs: number,
  untilMs: number,
): { readonly from: number; readonly until: number } {
  return { from: Math.max(0, sinceMs - CLAMP_PAST_MS - 1), until: untilMs + CLAMP_FUTURE_MS };
}

/** Of `2026-11-21 09:00:00.123`, in UTC, also with T and Z. */
export function millisecondsOf(timestamp: string): number {
  return Date.parse(`${timestamp.slice(0, 10)}T${timestamp.slice(11, 23)}Z`);
}

/** Null for a line that is no row, or that two readers could read as two. What we wrote ourselves needs no strict reader. */
export function readRow(line: string): ExportedRow | null {
  try {
    const row = JSON.parse(line) as ExportedRow | null;
    return JSON.stringify(row) === line ? row : (parseStrict(Buffer.from(line)) as ExportedRow | null);
  } catch {
    return null; // whoever asked names the file
  }
}
