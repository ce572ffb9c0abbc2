// The collector and its store: does it take what is sent, is it stored in time, does it stay within its means.

import { type DashboardSource, now, prom, series, table } from './panel.ts';

export const collector: DashboardSource = {
  name: 'collector',
  title: 'Outrider / Collector',
  description: 'Ingest, queue, store and ledger of the collector itself.',
  rows: [
    {
      title: 'Ingest',
      panels: [
        {
          title: 'Spans per second',
          asks: 'How much comes in, and is it stored as fast? Where the lines part, the queue grows.',
          draw: 'timeseries',
          queries: [
            prom('sum(rate(outrider_received_items_total{signal="traces"}[$__rate_interval]))', 'received'),
            prom('sum(rate(outrider_stored_items_total{signal="traces"}[$__rate_interval]))', 'stored'),
          ],
        },
        {
          title: 'Requests per second by signal',
          asks: 'Traces, logs or metrics?',
          draw: 'stacked',
          queries: [
            prom('sum by (signal) (rate(outrider_received_requests_total[$__rate_interval]))', '{{signal}}'),
          ],
        },
        {
          title: 'Refused requests',
          asks: 'Is anything turned away? 429 and 503 are sent again; 400 and 413 are a sender’s mistake; 401 a wrong token.',
          draw: 'stacked',
          thresholds: [1, 10],
          queries: [
            prom(
              'sum by (status) (increase(outrider_refused_requests_total[$__rate_interval]))',
              '{{status}}',
            ),
          ],
        },
        {
          title: 'Put aside',
          asks: 'Is there anything the store could not take? It is kept, with its reason, in the quarantine folder.',
          draw: 'stat',
          thresholds: [1, 1],
          queries: [now('sum(outrider_quarantined_total)')],
        },
        {
          title: 'Copies for other backends',
          asks: 'Do the backends of `export` take their copies? Zero where there are none.',
          draw: 'timeseries',
          unit: 'bytes',
          queries: [prom('sum(outrider_export_waiting_bytes)', 'waiting')],
        },
        {
          title: 'Copies given up',
          asks: 'Was a copy dropped, by a backend that never took it or a spool that was full? The originals are stored.',
          draw: 'stat',
          thresholds: [1, 1],
          queries: [now('sum(outrider_export_given_up_total)')],
        },
        {
          title: 'Alerts not evaluated',
          asks: 'Could an alert’s question not be answered? It fires no sooner than it is; `outrider alerts list` says which.',
          draw: 'timeseries',
          thresholds: [1, 10],
          queries: [
            prom('sum(increase(outrider_alert_evaluation_failures_total[$__rate_interval]))', 'questions'),
          ],
        },
        {
          title: 'From a call’s end to its row',
          asks: 'How long until a call can be asked about? Its end at the sidecar to its arrival here.',
          draw: 'timeseries',
          unit: 's',
          thresholds: [5, 30],
          queries: [
            series(`
              SELECT $__timeInterval(s.Timestamp) AS time,
                quantile(0.95)((toUnixTimestamp64Nano(s.ReceivedAt) - toUnixTimestamp64Nano(s.Timestamp) - toInt64(s.Duration)) / 1e9) AS p95
              FROM otel_traces AS s
              WHERE s.ScopeName = 'outrider.sidecar' AND $__timeFilter(s.Timestamp)
              GROUP BY time
              ORDER BY time`),
          ],
        },
      ],
    },
    {
      title: 'Queue and store',
      panels: [
        {
          title: 'Age of the oldest waiting',
          asks: 'Does the store keep up? More than a minute: it is away or too slow.',
          draw: 'timeseries',
          unit: 's',
          thresholds: [30, 120],
          queries: [prom('max(outrider_queue_oldest_seconds)', 'oldest')],
        },
        {
          title: 'Bytes waiting',
          asks: 'How much is accepted and not yet stored?',
          draw: 'timeseries',
          unit: 'bytes',
          queries: [prom('sum(outrider_queue_bytes)', 'waiting')],
        },
        {
          title: 'Segments waiting',
          asks: 'In how many pieces?',
          draw: 'timeseries',
          queries: [prom('sum(outrider_queue_segments)', 'segments')],
        },
        {
          title: 'What senders sent',
          asks: 'Who fills the store? Without a sender: nobody that authenticated.',
          draw: 'table',
          columns: { span_seconds: { unit: 's' } },
          queries: [
            table(`
              SELECT if(s.Sender = '', 'anybody', s.Sender) AS sent_by, s.ServiceName AS service, count() AS spans,
                sum(s.Duration) / 1e9 AS span_seconds
              FROM otel_traces AS s
              WHERE $__timeFilter(s.Timestamp)
              GROUP BY sent_by, service
              ORDER BY spans DESC
              LIMIT 50`),
          ],
        },
        {
          title: 'Memory',
          asks: 'Does the collector stay within its means? With everything under full load: 1.2 GB.',
          draw: 'timeseries',
          unit: 'bytes',
          thresholds: [1e9, 1.2e9],
          queries: [
            prom('sum(outrider_store_memory_bytes)', 'store'),
            prom('sum(process_resident_memory_bytes and on(instance) outrider_queue_bytes)', 'collector'),
          ],
        },
        {
          title: 'Processor',
          asks: 'How many cores does it use?',
          draw: 'timeseries',
          queries: [
            prom(
              'sum(rate(process_cpu_seconds_total[$__rate_interval]) and on(instance) outrider_queue_bytes)',
              'collector',
            ),
          ],
        },
      ],
    },
    {
      title: 'Ledger and people',
      panels: [
        {
          title: 'Ledger statements waiting',
          asks: 'Is the control database keeping up? It delays leases, never a call within its slice.',
          draw: 'timeseries',
          thresholds: [100, 1000],
          queries: [prom('sum(outrider_control_statements_pending)', 'waiting')],
        },
        {
          title: 'Who listens',
          asks: 'How many sidecars and consoles hear of recalls and modes at once?',
          draw: 'stat',
          queries: [now('sum(outrider_event_streams)')],
        },
        {
          title: 'Series beyond the cap',
          asks: 'How many series of the fleet share the label other?',
          draw: 'stat',
          thresholds: [1, 1000],
          queries: [now('max(outrider_fleet_series_dropped)')],
        },
        {
          title: 'What was changed',
          asks: 'Who changed what in the fleet’s control state? Zero: nothing in this time.',
          draw: 'table',
          queries: [
            table(`
              SELECT event, count() AS times, max(timestamp) AS last
              FROM control_events
              WHERE $__timeFilter(timestamp)
              GROUP BY event WITH TOTALS
              ORDER BY times DESC
              LIMIT 50`),
          ],
        },
        {
          title: 'Running since',
          asks: 'Did it restart? The fleet’s counters begin at zero with it.',
          draw: 'stat',
          unit: 's',
          queries: [now('time() - max(process_start_time_seconds and on(instance) outrider_queue_bytes)')],
        },
      ],
    },
  ],
};
