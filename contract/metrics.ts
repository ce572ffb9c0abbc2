// Every metric either process shows, declared once: both render from here, docs/metrics.md is written from it, and a
// dashboard or an alert may name no other. Labels are bounded: `agent` is the config's entry (names made at run time
// share their pattern), upstreams and credentials come from the config, models are capped, codes are closed lists.

import type { Family, Sample } from '../kit/metrics.ts';
import { LEVELS, type Level } from './budget.ts';

export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary';

export interface Metric<Label extends string = string> {
  readonly type: MetricType;
  /** What one of it is: `calls`, `dollars`, `seconds`. */
  readonly unit: string;
  readonly labels: readonly Label[];
  readonly help: string;
  /** Upper bounds of a histogram, without +Inf. */
  readonly bounds?: readonly number[];
}

const declare =
  (type: MetricType) =>
  <const Label extends string>(unit: string, labels: readonly Label[], help: string): Metric<Label> => ({
    type,
    unit,
    labels,
    help,
  });
const counter = declare('counter');
const gauge = declare('gauge');
const summary = declare('summary');
const histogram = <const Label extends string>(
  unit: string,
  labels: readonly Label[],
  bounds: readonly number[],
  help: string,
): Metric<Label> => ({ type: 'histogram', unit, labels, bounds, help });

/** 10 ms doubling to 82 s, and powers of four: as the OpenTelemetry GenAI metrics recommend (v1.41). */
const SECONDS_BOUNDS = Array.from({ length: 14 }, (_, i) => Math.round(2 ** i) / 100);
const TOKENS_BOUNDS = Array.from({ length: 14 }, (_, i) => 4 ** i);
const GEN_AI = ['agent', 'gen_ai_operation_name', 'gen_ai_provider_name', 'gen_ai_request_model'] as const;

/** Models beyond these share the label `other`, in each process. */
export const MODEL_LABELS_MAX = 64;
/** Stands for what a cap left out. */
export const OTHER = 'other';
/** Stands for a caller that presented no key anyone knows. */
export const UNKNOWN_AGENT = 'unknown';
export const TOKEN_TYPES = ['input', 'output', 'cached'] as const;
export const TASK_STATES = ['begun', 'done', 'failed'] as const;
export const QUANTILES = [0.5, 0.95, 0.99] as const;
/** Levels whose budgets are shown; a task's would be a series for each task. */
export const BUDGET_LEVELS: readonly Level[] = LEVELS.filter((level) => level !== 'task');

export const SIDECAR_METRICS = {
  outrider_calls_total: counter('calls', ['agent', 'upstream', 'status'], 'Calls ended, by how.'),
  outrider_refusals_total: counter('calls', ['agent', 'refusal'], 'Calls refused or cut off, by code.'),
  outrider_later_attempts_total: counter(
    'calls',
    ['agent', 'upstream', 'kind'],
    'Calls that were made because one before failed: retry or fallback. Each is counted among the calls too.',
  ),
  outrider_would_refuse_total: counter(
    'calls',
    ['agent', 'would_verdict'],
    'Calls that passed in observe mode and that enforcing would have refused.',
  ),
  outrider_cost_dollars_total: counter(
    'dollars',
    ['agent', 'upstream', 'model'],
    'Cost of the calls that ended.',
  ),
  outrider_tokens_total: counter(
    'tokens',
    ['agent', 'upstream', 'model', 'type'],
    'Tokens of the calls that ended; input includes cached.',
  ),
  outrider_upstream_responses_total: counter(
    'responses',
    ['upstream', 'code'],
    'Answers of upstreams, by HTTP status.',
  ),
  outrider_credential_failures_total: counter(
    'calls',
    ['credential'],
    'Calls whose credential could not be read, or that its upstream answered with 401.',
  ),
  outrider_calls_in_flight: gauge('calls', [], 'Calls accepted and not over.'),
  outrider_body_bytes_in_flight: gauge('bytes', [], 'Bytes of request bodies held.'),
  outrider_journal_bytes: gauge('bytes', [], 'Bytes in the journal that the collector has not taken over.'),
  outrider_circuit_state: gauge(
    'state',
    ['circuit'],
    'Of the first circuits that opened since the start: 0 is closed, 1 on trial, 2 open.',
  ),
  outrider_quota_spent: gauge(
    'boolean',
    ['upstream'],
    '1 while an upstream says that its quota or spend limit is used up, and is not asked.',
  ),
  outrider_circuits_not_closed: gauge('circuits', [], 'Circuits that are open or on trial.'),
  outrider_ledger_reachable: gauge('boolean', [], '1 while the ledger answers.'),
  outrider_collector_reachable: gauge('boolean', [], '1 while the collector takes what is shipped.'),
  outrider_refusals_unrecorded_total: counter(
    'calls',
    [],
    'Calls refused without a record, for the journal was full and a thousand ends waited for room.',
  ),
  outrider_journal_writable: gauge('boolean', [], '1 while the journal can be written; else nothing leaves.'),
  gen_ai_client_operation_duration_seconds: histogram(
    'seconds',
    [...GEN_AI, 'error_type'],
    SECONDS_BOUNDS,
    'Duration of calls of models, from accepting to the last byte; error_type is empty on success.',
  ),
  gen_ai_client_token_usage: histogram(
    'tokens',
    [...GEN_AI, 'gen_ai_token_type'],
    TOKENS_BOUNDS,
    'Tokens used by each call of a model.',
  ),
  gen_ai_client_operation_time_to_first_chunk_seconds: histogram(
    'seconds',
    GEN_AI,
    SECONDS_BOUNDS,
    'Time until the first bytes of a streamed answer.',
  ),
};

export const COLLECTOR_METRICS = {
  outrider_queue_segments: gauge('segments', [], 'Segments accepted and not yet in the store.'),
  outrider_queue_refusing: gauge('queues', [], '1 while the queue takes nothing, not even of sidecars.'),
  outrider_queue_not_loading: gauge(
    'queues',
    [],
    '1 while nothing is loaded: the store refuses everything it is given, or its disk is all but full.',
  ),
  outrider_queue_set_aside: gauge(
    'messages',
    [],
    'Messages and damage that lie set aside and are not in the store.',
  ),
  outrider_store_sums_in_doubt: gauge(
    'tables',
    [],
    'Counted tables that may lack rows, because the ClickHouse server was killed in the middle of a load.',
  ),
  outrider_queue_segments_lost_total: counter('segments', [], 'Segments whose file somebody removed.'),
  outrider_queue_bytes: gauge('bytes', [], 'Bytes accepted and not yet in the store.'),
  outrider_queue_oldest_seconds: gauge('seconds', [], 'Age of the oldest segment not yet in the store.'),
  outrider_received_items_total: counter(
    'items',
    ['signal'],
    'Spans, log records and data points accepted at the OTLP door.',
  ),
  outrider_received_requests_total: counter(
    'requests',
    ['signal'],
    'Requests accepted at the OTLP door, by what they carry.',
  ),
  outrider_refused_requests_total: counter(
    'requests',
    ['status'],
    'Requests refused at the OTLP door, by HTTP status.',
  ),
  outrider_dropped_attributes_total: counter(
    'attributes',
    [],
    'Attributes named outrider.* at the OTLP door from senders whose records do not count; the store drops them.',
  ),
  outrider_overruled_claims_total: counter(
    'claims',
    [],
    'Resources and scopes at the OTLP door that claimed what their sender’s token does not, stored as what it does.',
  ),
  outrider_stored_items_total: counter(
    'items',
    ['signal'],
    'Spans, log records and data points that the store has taken, the collector’s own too.',
  ),
  outrider_quarantined_total: counter(
    'messages',
    [],
    'Messages set aside because the store cannot take them, and damage.',
  ),
  outrider_control_statements_pending: gauge(
    'statements',
    [],
    'Statements waiting for the control database.',
  ),
  outrider_event_streams: gauge('streams', [], 'Sidecars and consoles that listen for events.'),
  outrider_store_memory_bytes: gauge(
    'bytes',
    [],
    'Resident memory of the embedded store; 0 while it is away.',
  ),
  outrider_alert_evaluation_failures_total: counter(
    'questions',
    [],
    'Questions of alerts that could not be answered; an alert fires no sooner than its question is.',
  ),
  outrider_audit_leaves: gauge('leaves', [], 'Leaves of the log under its newest checkpoint.'),
  outrider_audit_minimum_index: gauge(
    'leaves',
    [],
    'Leaves from the first on whose entries have had their time and are no longer kept.',
  ),
  outrider_audit_waiting_requests: gauge(
    'requests',
    [],
    'Requests accepted that are under no signed checkpoint of the log yet.',
  ),
  outrider_audit_behind_seconds: gauge('seconds', [], 'For how long the oldest of them has waited.'),
  outrider_audit_anchored_leaves: gauge(
    'leaves',
    ['anchor'],
    'Leaves of the last checkpoint that the place outside has.',
  ),
  outrider_audit_anchor_failing_seconds: gauge(
    'seconds',
    ['anchor'],
    'For how long no checkpoint could be told there; 0 while it can.',
  ),
  outrider_export_waiting_bytes: gauge('bytes', [], 'Copies that the backends of `export` have yet to take.'),
  outrider_export_given_up_total: counter(
    'copies',
    [],
    'Copies given up: segments beyond the spool’s bound, batches a backend will never take.',
  ),
};

/** The fleet as the collector sees it. Counters begin at 0 when the collector starts; SQL has the whole past. */
export const FLEET_METRICS = {
  outrider_fleet_calls_total: counter('calls', ['agent', 'status'], 'Calls recorded, by how they ended.'),
  outrider_fleet_refusals_total: counter('calls', ['agent', 'refusal'], 'Calls refused or cut off, by code.'),
  outrider_fleet_cost_dollars_total: counter('dollars', ['agent', 'model'], 'Cost of the calls recorded.'),
  outrider_fleet_tokens_total: counter(
    'tokens',
    ['agent', 'model', 'type'],
    'Tokens of the calls recorded; input includes cached.',
  ),
  outrider_fleet_tasks_total: counter('tasks', ['agent', 'state'], 'Tasks begun, done and failed.'),
  outrider_fleet_task_duration_seconds: summary(
    'seconds',
    ['agent'],
    'From first call to end of the tasks that ended in the last hour.',
  ),
  outrider_fleet_call_duration_seconds: summary(
    'seconds',
    ['agent'],
    'Duration of the calls of the last hour.',
  ),
  outrider_agents: gauge('instances', ['health'], 'Instances of agents that were heard of, by health.'),
  outrider_dead_letters: gauge('letters', ['state'], 'Dead letters kept, by state.'),
  outrider_budget_limit_dollars: gauge('dollars', ['level', 'name', 'window'], 'Limit of a budget.'),
  outrider_budget_spent_dollars: gauge('dollars', ['level', 'name', 'window'], 'Posted in this window.'),
  outrider_budget_held_dollars: gauge('dollars', ['level', 'name', 'window'], 'Held by sidecars.'),
  outrider_budget_projected_dollars: gauge(
    'dollars',
    ['level', 'name', 'window'],
    'What will be posted by the end of the window if it goes on as it has since its start.',
  ),
  outrider_budget_limit_tokens: gauge('tokens', ['level', 'name', 'window'], 'Limit of a budget.'),
  outrider_budget_spent_tokens: gauge('tokens', ['level', 'name', 'window'], 'Posted in this window.'),
  outrider_budget_held_tokens: gauge('tokens', ['level', 'name', 'window'], 'Held by sidecars.'),
  outrider_budget_projected_tokens: gauge(
    'tokens',
    ['level', 'name', 'window'],
    'What will be posted by the end of the window if it goes on as it has since its start.',
  ),
  outrider_fleet_queue_depth: gauge('items', ['agent'], 'Work waiting, as agents last reported it.'),
  outrider_fleet_series_dropped: gauge('series', [], 'Series that share the label other because of the cap.'),
  outrider_alert_value: gauge(
    '1',
    ['alert', 'severity', 'agent', 'task', 'key'],
    'What the collector’s own evaluation of an alert found; absent while it finds nothing.',
  ),
};

/** The process itself; the names are Prometheus’ own. */
export const PROCESS_METRICS = {
  process_cpu_seconds_total: counter('seconds', [], 'Processor time used by the process.'),
  process_resident_memory_bytes: gauge('bytes', [], 'Resident memory of the process.'),
  process_start_time_seconds: gauge('seconds', [], 'When the process started, since 1970.'),
};

export const METRICS = { ...SIDECAR_METRICS, ...COLLECTOR_METRICS, ...FLEET_METRICS, ...PROCESS_METRICS };
export type MetricName = keyof typeof METRICS;
export const METRIC_NAMES = Object.keys(METRICS) as readonly MetricName[];

/** The labels of a metric by name, as a type. */
export type LabelsOf<Name extends MetricName> = (typeof METRICS)[Name]['labels'][number];

/** A declared metric with what it shows now. */
export function familyOf(name: MetricName, samples: readonly Sample[]): Family {
  const { type, help } = METRICS[name];
  return { name, type, help, samples };
}

/** Declared metrics without labels. */
export function figuresOf(values: Readonly<Partial<Record<MetricName, number>>>): Family[] {
  return Object.entries(values).map(([name, value]) => familyOf(name as MetricName, [{ labels: {}, value }]));
}
