// Every exporter of OpenTelemetry's JS SDK against both doors: each signal over protobuf, JSON and gRPC, with a collector
// that at first takes nothing. Then the protocol's own examples. What came is asked of the store.

import { readFileSync } from 'node:fs';
import { SeverityNumber } from '@opentelemetry/api-logs';
import { OTLPLogExporter as LogsByGrpc } from '@opentelemetry/exporter-logs-otlp-grpc';
import { OTLPLogExporter as LogsByJson } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as LogsByProtobuf } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPMetricExporter as MetricsByGrpc } from '@opentelemetry/exporter-metrics-otlp-grpc';
import { OTLPMetricExporter as MetricsByJson } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as MetricsByProtobuf } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter as TracesByGrpc } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as TracesByJson } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as TracesByProtobuf } from '@opentelemetry/exporter-trace-otlp-proto';
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider, type LogRecordExporter } from '@opentelemetry/sdk-logs';
import {
  MeterProvider,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Pipeline, startPipeline } from '../../collector/pipeline.ts';
import { createIntake } from '../../collector/receive/intake.ts';
import { createGrpcReceiver } from '../../collector/receive/otlp-grpc.ts';
import { createHttpReceiver, type Receiver } from '../../collector/receive/otlp-http.ts';
import { systemClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';
import { ownNames } from '../../kit/own-names.ts';
import { temporaryDirectory } from '../support/processes.ts';
import { type OpenedStore, openTestStore } from './store/open.ts';

/** How long each request is refused, from the first time it comes. */
const REFUSED_MS = 3_000;
const SERVICES = ['traces', 'logs', 'metrics'].flatMap((signal) =>
  ['protobuf', 'json', 'grpc'].map((protocol) => `${signal} by ${protocol}`),
);

let opened: OpenedStore;
let pipeline: Pipeline;
let http: Receiver;
let grpc: Receiver;
/** When each service was refused first, and how often it was taken. */
const refused = new Map<string, number>();
const taken = new Map<string, number>();

beforeAll(async () => {
  opened = await openTestStore();
  pipeline = await startPipeline({
    listen: '127.0.0.1:0',
    directory: temporaryDirectory('outrider-exporters'),
    store: opened.store,
    authenticate: () => '',
    log: silentLog,
    clock: systemClock,
  });
  const intake = createIntake({
    authenticate: () => '',
    async append(request, { signal, sender }) {
      const service = SERVICES.find((name) => request.includes(name)) ?? '';
      const nowMs = systemClock.monotonicMs();
      const sinceMs = refused.get(service) ?? nowMs;
      refused.set(service, sinceMs);
      if (service !== '' && nowMs - sinceMs < REFUSED_MS) return { kind: 'refused', reason: 'not yet' };
      taken.set(service, (taken.get(service) ?? 0) + 1);
      return pipeline.append(signal, request, sender);
    },
    log: silentLog,
    clock: systemClock,
  });
  const door = { listen: '127.0.0.1:0', intake, clock: systemClock };
  http = await createHttpReceiver({ ...door, names: ownNames([], false), allowedOrigins: [] });
  grpc = await createGrpcReceiver({ ...door, log: silentLog });
});
afterAll(async () => {
  await grpc.close();
  await http.close();
  await pipeline.close();
  await opened.close();
});

test('every exporter survives refusals, and is stored once', async () => {
  const compression = CompressionAlgorithm.GZIP;
  const byHttp = (signal: string) => ({ url: `${http.url}/v1/${signal}`, compression });
  const byGrpc = { url: grpc.url };
  await Promise.all([
    sendSpan('traces by protobuf', new TracesByProtobuf(byHttp('traces'))),
    sendSpan('traces by json', new TracesByJson(byHttp('traces'))),
    sendSpan('traces by grpc', new TracesByGrpc(byGrpc)),
    sendLog('logs by protobuf', new LogsByProtobuf(byHttp('logs'))),
    sendLog('logs by json', new LogsByJson(byHttp('logs'))),
    sendLog('logs by grpc', new LogsByGrpc({ ...byGrpc, compression })),
    sendMetric('metrics by protobuf', new MetricsByProtobuf(byHttp('metrics'))),
    sendMetric('metrics by json', new MetricsByJson(byHttp('metrics'))),
    sendMetric('metrics by grpc', new MetricsByGrpc(byGrpc)),
  ]);
  await pipeline.drain();
  expect(Object.fromEntries(taken)).toEqual(Object.fromEntries(SERVICES.map((name) => [name, 1])));
  const rows = await opened.store.query(
    `SELECT * FROM (SELECT ServiceName AS service, SpanName AS name, SpanAttributes['step'] AS value FROM otel_traces
    UNION ALL SELECT ServiceName, Body, LogAttributes['step'] FROM otel_logs
    UNION ALL SELECT ServiceName, MetricName, Attributes['step'] FROM otel_metrics_sum WHERE Value = 3)
    ORDER BY service`,
  );
  expect(rows).toEqual([...SERVICES].sort().map((service) => ({ service, name: 'written', value: '4' })));
});

async function sendSpan(service: string, exporter: SpanExporter): Promise<void> {
  const provider = new TracerProvider({
    resource: resourceOf(service),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  });
  provider
    .getTracer('agent')
    .startSpan('written', { attributes: { step: 4 } })
    .end();
  await provider.forceFlush();
  await provider.shutdown();
}

async function sendLog(service: string, exporter: LogRecordExporter): Promise<void> {
  const provider = new LoggerProvider({
    resource: resourceOf(service),
    processors: [new BatchLogRecordProcessor({ exporter })],
  });
  const record = { severityNumber: SeverityNumber.INFO, body: 'written', attributes: { step: 4 } };
  provider.getLogger('agent').emit(record);
  await provider.shutdown();
}

async function sendMetric(service: string, exporter: PushMetricExporter): Promise<void> {
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ resource: resourceOf(service), readers: [reader] });
  provider.getMeter('agent').createCounter('written').add(3, { step: 4 });
  await provider.shutdown();
}

const resourceOf = (service: string) => resourceFromAttributes({ 'service.name': service });

test('the examples of opentelemetry-proto are accepted and stored', async () => {
  for (const [file, path] of [
    ['trace', 'traces'],
    ['logs', 'logs'],
    ['events', 'logs'],
    ['metrics', 'metrics'],
  ]) {
    const body = readFileSync(new URL(`../cases/opentelemetry-proto/${file}.json`, import.meta.url));
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${http.url}/v1/${path}`, { method: 'POST', body, headers });
    expect([file, answer.status, await answer.json()]).toEqual([file, 200, {}]);
  }
  await pipeline.drain();
  const of = (columns: string, table: string, order = '1') =>
    opened.store.query(`SELECT ${columns} FROM ${table} WHERE ServiceName = 'my.service' ORDER BY ${order}`);
  expect(
    await of(
      'TraceId, SpanId, ParentSpanId, SpanName, SpanKind, Duration, SpanAttributes, ScopeName, ScopeVersion',
      'otel_traces',
    ),
  ).toEqual([
    {
      TraceId: '5b8efff798038103d269b633813fc60c',
      SpanId: 'eee19b7ec3c1b174',
      ParentSpanId: 'eee19b7ec3c1b173',
      SpanName: "I'm a server span",
      SpanKind: 'Server',
      Duration: '1000000000',
      SpanAttributes: { 'my.span.attr': 'some value' },
      ScopeName: 'my.library',
      ScopeVersion: '1.0.0',
    },
  ]);
  expect(await of('EventName, SeverityNumber, SeverityText, Body, LogAttributes', 'otel_logs')).toEqual([
    {
      EventName: '',
      SeverityNumber: 10,
      SeverityText: 'Information',
      Body: 'Example log record',
      LogAttributes: {
        'string.attribute': 'some string',
        'boolean.attribute': 'true',
        'int.attribute': '10',
        'double.attribute': '637.704',
        'array.attribute': '["many","values"]',
        'map.attribute': '{"some.map.key":"some value"}',
      },
    },
    {
      EventName: 'browser.page_view',
      SeverityNumber: 9,
      SeverityText: 'test severity text',
      Body: '{"type":0,"url":"https:\\/\\/www.guidgenerator.com\\/online-guid-generator.aspx","referrer":"https:\\/\\/wwww.google.com","title":"Free Online GUID Generator"}',
      LogAttributes: { 'event.attribute': 'some event attribute' },
    },
  ]);
  expect(await of('MetricName, Value, IsMonotonic', 'otel_metrics_sum')).toEqual([
    { MetricName: 'my.counter', Value: 5, IsMonotonic: true },
  ]);
  expect(await of('MetricName, Value', 'otel_metrics_gauge')).toEqual([
    { MetricName: 'my.gauge', Value: 10 },
  ]);
  expect(await of('MetricName, Count, BucketCounts, ExplicitBounds', 'otel_metrics_histogram')).toEqual([
    { MetricName: 'my.histogram', Count: '2', BucketCounts: ['1', '1'], ExplicitBounds: [1] },
  ]);
  expect(
    await of('MetricName, Count, PositiveOffset, PositiveBucketCounts', 'otel_metrics_exp_histogram'),
  ).toEqual([
    {
      MetricName: 'my.exponential.histogram',
      Count: '3',
      PositiveOffset: 1,
      PositiveBucketCounts: ['0', '2'],
    },
  ]);
});

test('COL-26 names and values that look like statements are stored as they are written, and nothing else happens', async () => {
  const hostile = [
    "'); DROP TABLE otel_logs; --",
    "\\'; SELECT * FROM file('/etc/passwd') --",
    '`x` FORMAT Null',
    '{id:String}',
    '$1 %s \u0000 /* */',
  ];
  const attributes = hostile.map((text) => ({ key: text, value: { stringValue: text } }));
  const [text] = hostile;
  const body = JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: text } }] },
        scopeSpans: [
          {
            scope: { name: text, version: text },
            spans: [
              { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), name: text, traceState: text, attributes },
            ],
          },
        ],
      },
    ],
  });
  const count = () => opened.store.query('SELECT count() AS n FROM otel_logs');
  const before = await count();
  const headers = { 'content-type': 'application/json' };
  expect((await fetch(`${http.url}/v1/traces`, { method: 'POST', body, headers })).status).toBe(200);
  await pipeline.drain();
  const rows = await opened.store.query(
    `SELECT ServiceName, SpanName, ScopeName, ScopeVersion, TraceState, SpanAttributes FROM otel_traces
    WHERE TraceId = '${'ab'.repeat(16)}'`,
  );
  expect(rows).toEqual([
    {
      ServiceName: text,
      SpanName: text,
      ScopeName: text,
      ScopeVersion: text,
      TraceState: text,
      SpanAttributes: Object.fromEntries(hostile.map((each) => [each, each])),
    },
  ]);
  expect(await count()).toEqual(before);
});
