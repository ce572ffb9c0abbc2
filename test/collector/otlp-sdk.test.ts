// OpenTelemetry's own SDK sends logs and metrics, as its documentation says, and they are there to be asked.

import { SeverityNumber } from '@opentelemetry/api-logs';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { AggregationType, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Pipeline, startPipeline } from '../../collector/pipeline.ts';
import { systemClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';
import { temporaryDirectory } from '../support/processes.ts';
import { type OpenedStore, openTestStore } from './store/open.ts';

let opened: OpenedStore;
let pipeline: Pipeline;

beforeAll(async () => {
  opened = await openTestStore();
  pipeline = await startPipeline({
    listen: '127.0.0.1:0',
    directory: temporaryDirectory('outrider-sdk'),
    store: opened.store,
    authenticate: (token) => (token === 'joined' ? 'join' : ''),
    log: silentLog,
    clock: systemClock,
  });
});
afterAll(async () => {
  await pipeline.close();
  await opened.close();
});

const resource = resourceFromAttributes({ 'service.name': 'scout' });

test('metrics of every kind that the SDK has', async () => {
  const exporter = new OTLPMetricExporter({
    url: `${pipeline.otlpUrl}/v1/metrics`,
    compression: CompressionAlgorithm.GZIP,
    headers: { authorization: 'Bearer joined' },
  });
  const provider = new MeterProvider({
    resource,
    readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })],
    views: [
      {
        instrumentName: 'test.exponential',
        aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM },
      },
    ],
  });
  const meter = provider.getMeter('agent', '1.0');
  meter.createCounter('test.articles', { unit: '{article}' }).add(3, { desk: 'news' });
  meter.createUpDownCounter('test.open').add(-2);
  const histogram = meter.createHistogram('test.latency', {
    unit: 's',
    advice: { explicitBucketBoundaries: [0.1, 1] },
  });
  for (const seconds of [0.05, 0.5, 5]) histogram.record(seconds);
  meter.createHistogram('test.exponential').record(7);
  meter
    .createObservableGauge('outrider.queue.depth', { unit: '{item}' })
    .addCallback((result) => result.observe(12, { 'outrider.agent': 'scout-7' }));
  await provider.shutdown();
  await pipeline.drain();

  const sums = await opened.store.query(
    `SELECT MetricName AS name, MetricUnit AS unit, Value AS value, IsMonotonic AS grows, Attributes AS attributes,
      ServiceName AS service, ScopeVersion AS version FROM otel_metrics_sum ORDER BY name`,
  );
  const from = { service: 'scout', version: '1.0' };
  expect(sums).toEqual([
    {
      name: 'test.articles',
      unit: '{article}',
      value: 3,
      grows: true,
      attributes: { desk: 'news' },
      ...from,
    },
    { name: 'test.open', unit: '', value: -2, grows: false, attributes: {}, ...from },
  ]);
  expect(
    await opened.store.query(
      'SELECT Count AS n, Sum AS sum, BucketCounts AS counts, ExplicitBounds AS bounds, Min AS min, Max AS max FROM otel_metrics_histogram',
    ),
  ).toEqual([{ n: '3', sum: 5.55, counts: ['1', '1', '1'], bounds: [0.1, 1], min: 0.05, max: 5 }]);
  expect(
    await opened.store.query(
      'SELECT Count AS n, Sum AS sum, arraySum(PositiveBucketCounts) AS counted FROM otel_metrics_exp_histogram',
    ),
  ).toEqual([{ n: '1', sum: 7, counted: '1' }]);
  expect(await opened.store.query('SELECT agent_id, depth FROM queue_depths')).toEqual([
    { agent_id: 'scout-7', depth: 12 },
  ]);
});

test('log records, also one with a structured body', async () => {
  const exporter = new OTLPLogExporter({ url: `${pipeline.otlpUrl}/v1/logs` });
  const provider = new LoggerProvider({ resource, processors: [new BatchLogRecordProcessor({ exporter })] });
  const logger = provider.getLogger('agent', '1.0');
  logger.emit({
    eventName: 'article.written',
    severityNumber: SeverityNumber.WARN,
    severityText: 'WARN',
    body: { title: 'Spring', words: 800 },
    attributes: { 'agent.step': 4, 'outrider.cost.nanodollars': 1 },
  });
  await provider.shutdown();
  await pipeline.drain();
  const rows = await opened.store.query(
    `SELECT EventName AS event, SeverityText AS severity, SeverityNumber AS number, Body AS body,
      LogAttributes AS attributes, ServiceName AS service FROM otel_logs`,
  );
  expect(rows).toEqual([
    {
      event: 'article.written',
      severity: 'WARN',
      number: SeverityNumber.WARN,
      body: '{"title":"Spring","words":800}',
      attributes: { 'agent.step': '4' },
      service: 'scout',
    },
  ]);
});
