// What fails, what is kept away from, what is out of reach: upstreams first, then our own parts.

import { type DashboardSource, now, PICKED_ACTIONS, prom, series, TRACE_LINK, table } from './panel.ts';

export const reliability: DashboardSource = {
  name: 'reliability',
  title: 'Outrider / Reliability',
  description: 'Upstreams, circuits, credentials, and whether every sidecar reaches what it needs.',
  rows: [
    {
      title: 'Who needs me',
      panels: [
        {
          title: 'Alerts firing',
          asks: 'What did the collector’s own evaluation find? Zero: nothing.',
          draw: 'table',
          queries: [now('sort_desc(outrider_alert_value) or on() vector(0)')],
        },
        {
          title: 'Sidecars that answer',
          asks: 'Is every sidecar scraped?',
          draw: 'stat',
          queries: [now('sum(outrider_journal_writable >= bool 0)')],
        },
        {
          title: 'Circuits not closed',
          asks: 'How many circuits keep calls away from what is failing?',
          draw: 'stat',
          thresholds: [1, 3],
          queries: [prom('sum(outrider_circuits_not_closed)')],
        },
        {
          title: 'Out of reach',
          asks: 'How many sidecars miss the ledger, the collector, or cannot write their journal?',
          draw: 'stat',
          thresholds: [1, 1],
          queries: [
            now('sum(outrider_ledger_reachable == bool 0)', 'ledger'),
            now('sum(outrider_collector_reachable == bool 0)', 'collector'),
            now('sum(outrider_journal_writable == bool 0)', 'journal'),
          ],
        },
      ],
    },
    {
      title: 'Upstreams',
      panels: [
        {
          title: 'Errors per 100 calls by upstream',
          asks: 'Which provider or service fails?',
          draw: 'timeseries',
          thresholds: [5, 20],
          queries: [
            prom(
              '100 * sum by (upstream) (rate(outrider_calls_total{agent=~"$agent",status=~"failure|timeout"}[$__rate_interval])) / (sum by (upstream) (rate(outrider_calls_total{agent=~"$agent"}[$__rate_interval])) > 0) or on() vector(0)',
              '{{upstream}}',
            ),
          ],
        },
        {
          title: 'Answers by status',
          asks: 'What do upstreams answer?',
          draw: 'stacked',
          queries: [
            prom(
              'sum by (upstream, code) (rate(outrider_upstream_responses_total[$__rate_interval])) * 60',
              '{{upstream}} {{code}}',
            ),
          ],
        },
        {
          title: 'Rate limits hit',
          asks: 'Who says 429, and how often a minute?',
          draw: 'timeseries',
          thresholds: [1, 10],
          queries: [
            prom(
              'sum by (upstream) (rate(outrider_upstream_responses_total{code="429"}[$__rate_interval])) * 60 or on() vector(0)',
              '{{upstream}}',
            ),
          ],
        },
        {
          title: 'How long models take',
          asks: 'Is a model getting slower? 95 of 100 operations, as sidecars measured them.',
          draw: 'timeseries',
          unit: 's',
          queries: [
            prom(
              'histogram_quantile(0.95, sum by (le, gen_ai_request_model) (rate(gen_ai_client_operation_duration_seconds_bucket{agent=~"$agent"}[$__rate_interval])))',
              '{{gen_ai_request_model}}',
            ),
          ],
        },
        {
          title: 'Kinds of error',
          asks: 'Whose fault? An upstream’s own word for it, a timeout, or an agent that hung up.',
          draw: 'stacked',
          queries: [
            prom(
              'sum by (error_type) (rate(gen_ai_client_operation_duration_seconds_count{agent=~"$agent",error_type!=""}[$__rate_interval])) * 60 or on() vector(0)',
              '{{error_type}}',
            ),
          ],
        },
        {
          title: 'Failed calls',
          asks: 'Which calls failed last, with which status? The trace leads to the console.',
          draw: 'table',
          columns: {
            trace: { link: TRACE_LINK },
          },
          queries: [
            table(`
              SELECT a.timestamp AS at, a.agent_id AS agent, a.target AS target, a.status AS status,
                a.http_status AS http, a.task_id AS task, a.trace_id AS trace
              FROM actions AS a
              WHERE a.status IN ('failure', 'timeout') AND ${PICKED_ACTIONS}
              ORDER BY a.timestamp DESC
              LIMIT 100`),
          ],
        },
      ],
    },
    {
      title: 'Credentials and sidecars',
      panels: [
        {
          title: 'Credential failures',
          asks: 'Which credential could not be read, or was answered 401?',
          draw: 'timeseries',
          thresholds: [1, 1],
          queries: [
            prom(
              'sum by (credential) (increase(outrider_credential_failures_total[$__rate_interval])) or on() vector(0)',
              '{{credential}}',
            ),
          ],
        },
        {
          title: 'Who uses which credential',
          asks: 'Is a credential used by someone, or at an hour, that it never was?',
          draw: 'table',
          queries: [
            table(`
              SELECT a.credential AS credential, a.agent_id AS agent, count() AS calls, min(a.timestamp) AS first,
                max(a.timestamp) AS last
              FROM actions AS a
              WHERE a.credential != '' AND ${PICKED_ACTIONS}
              GROUP BY a.credential, a.agent_id
              ORDER BY credential, calls DESC
              LIMIT 200`),
          ],
        },
        {
          title: 'Calls under way',
          asks: 'Do calls pile up in a sidecar?',
          draw: 'timeseries',
          queries: [prom('outrider_calls_in_flight', '{{instance}}')],
        },
        {
          title: 'Request bodies held',
          asks: 'How near is a sidecar to refusing bodies?',
          draw: 'timeseries',
          unit: 'bytes',
          queries: [prom('outrider_body_bytes_in_flight', '{{instance}}')],
        },
        {
          title: 'Journals not shipped',
          asks: 'How much waits in the sidecars for the collector? It should fall again and again.',
          draw: 'timeseries',
          unit: 'bytes',
          queries: [prom('outrider_journal_bytes', '{{instance}}')],
        },
        {
          title: 'Timeouts',
          asks: 'Do calls run into their timeouts?',
          draw: 'timeseries',
          queries: [
            series(`
              SELECT $__timeInterval(a.timestamp) AS time, countIf(a.status = 'timeout') AS timeouts
              FROM actions AS a
              WHERE ${PICKED_ACTIONS}
              GROUP BY time
              ORDER BY time`),
          ],
        },
        {
          title: 'Memory of the sidecars',
          asks: 'Does a sidecar stay small?',
          draw: 'timeseries',
          unit: 'bytes',
          queries: [
            prom('process_resident_memory_bytes and on(instance) outrider_journal_writable', '{{instance}}'),
          ],
        },
      ],
    },
  ],
};
