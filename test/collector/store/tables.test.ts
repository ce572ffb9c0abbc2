// The tables are those that Grafana's ClickHouse data source and HyperDX know: each column by name and type; every trace is
// found by their own query; and questions by id read few granules.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { ATTRIBUTES as A, SCOPE_NAME } from '../../../contract/attributes.ts';
import { type OpenedStore, openTestStore, RECEIVED_AT } from './open.ts';
import { requestBytes } from './otlp.ts';

let opened: OpenedStore;
beforeAll(async () => {
  opened = await openTestStore();
});
afterAll(() => opened.close());

const TEXT = 'LowCardinality(String)';
const MAP = 'Map(LowCardinality(String), String)';

/** As the OpenTelemetry Collector's ClickHouse exporter creates it (exporter/clickhouseexporter, traces_table.sql). */
const OTEL_TRACES = {
  Timestamp: 'DateTime64(9)',
  TraceId: 'String',
  SpanId: 'String',
  ParentSpanId: 'String',
  TraceState: 'String',
  SpanName: TEXT,
  SpanKind: TEXT,
  ServiceName: TEXT,
  ResourceAttributes: MAP,
  ScopeName: 'String',
  ScopeVersion: 'String',
  SpanAttributes: MAP,
  Duration: 'UInt64',
  StatusCode: TEXT,
  StatusMessage: 'String',
  'Events.Timestamp': 'Array(DateTime64(9))',
  'Events.Name': `Array(${TEXT})`,
  'Events.Attributes': `Array(${MAP})`,
  'Links.TraceId': 'Array(String)',
  'Links.SpanId': 'Array(String)',
  'Links.TraceState': 'Array(String)',
  'Links.Attributes': `Array(${MAP})`,
  ResourceAttributeItems: 'Array(String)',
  SpanAttributeItems: 'Array(String)',
};

test('otel_traces has every column of the exporter, by name, type and order', async () => {
  const rows = await opened.store.query<{ name: string; type: string }>(
    "SELECT name, type FROM system.columns WHERE table = 'otel_traces' ORDER BY position",
  );
  const known = rows.filter(({ name }) => Object.hasOwn(OTEL_TRACES, name));
  expect(Object.fromEntries(known.map(({ name, type }) => [name, type]))).toEqual(OTEL_TRACES);
  expect(known.map(({ name }) => name)).toEqual(Object.keys(OTEL_TRACES));
});

const idOf = (number: number, bytes: number): Buffer => {
  const id = Buffer.alloc(bytes, 1);
  id.writeUInt32BE(number + 1, 0);
  return id;
};
const TRACES = 3_000;

async function loadTraces(): Promise<void> {
  const spans = Array.from({ length: TRACES * 2 }, (_, number) => {
    const startUnixNano = RECEIVED_AT - BigInt(number) * 20_000_000_000n;
    return {
      traceId: idOf(number >> 1, 16),
      spanId: idOf(number, 8),
      name: `call ${number % 50}`,
      startUnixNano,
      endUnixNano: startUnixNano + 1_000_000n,
      attributes: { [A.callId]: `call-${number}`, [A.parentTraceId]: idOf(number + 1e6, 16).toString('hex') },
    };
  });
  const request = requestBytes({ resource: { 'service.name': 'fleet' }, scope: { name: SCOPE_NAME }, spans });
  await opened.store.load(opened.segment('traces', [request], 'scout/host'));
  for (const table of ['otel_traces', 'actions']) await opened.store.command(`OPTIMIZE TABLE ${table} FINAL`);
}

test('a part of any table is on the disk before its load is answered', async () => {
  const [tables] = await opened.store.query(
    `SELECT count() > 20 AS many, groupArrayIf(name, NOT match(engine_full, 'fsync_after_insert = 1, fsync_part_directory = 1'))
       AS unsynced
     FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'`,
  );
  // A migration whose note was lost is harmless when it runs once more.
  expect(tables).toEqual({ many: 1, unsynced: ['outrider_migrations'] });
});

test('every trace is in the lookup table, its range holds all its spans, and the data source finds it', async () => {
  await loadTraces();
  const [outside] = await opened.store.query(
    `SELECT uniqExact(spans.TraceId) AS traces, countIf(found.TraceId = '' OR Timestamp < Start OR Timestamp >= End + 1) AS lost
     FROM otel_traces AS spans LEFT JOIN (
       SELECT TraceId, min(Start) AS Start, max(End) AS End FROM otel_traces_trace_id_ts GROUP BY TraceId
     ) AS found ON found.TraceId = spans.TraceId`,
  );
  expect(outside).toEqual({ traces: String(TRACES), lost: '0' });
  const id = idOf(1234, 16).toString('hex');
  const rows = await opened.store.query(
    `WITH '${id}' AS trace_id,
       (SELECT min(Start) FROM otel_traces_trace_id_ts WHERE TraceId = trace_id) AS trace_start,
       (SELECT max(End) + 1 FROM otel_traces_trace_id_ts WHERE TraceId = trace_id) AS trace_end
     SELECT SpanId FROM otel_traces WHERE TraceId = trace_id AND Timestamp >= trace_start AND Timestamp <= trace_end`,
  );
  expect(rows).toHaveLength(2);
});

test.each([
  ['otel_traces', `TraceId = '${idOf(7, 16).toString('hex')}'`, 'idx_trace_id'],
  ['otel_traces', "has(mapValues(SpanAttributes), 'call-77')", 'idx_span_attr_value'],
  ['otel_traces', "has(mapKeys(SpanAttributes), 'no.such.key')", 'idx_span_attr_key'],
  ['actions', "call_id = 'call-77'", 'idx_call_id'],
  ['actions', `trace_id = '${idOf(7, 16).toString('hex')}'`, 'idx_trace_id'],
  ['actions', `parent_trace_id = '${idOf(1_000_007, 16).toString('hex')}'`, 'idx_parent_trace_id'],
])('%s by %s asks the index %s', async (table, where, index) => {
  const rows = await opened.store.query<{ explain: string }>(
    `EXPLAIN indexes = 1 SELECT count() FROM ${table} WHERE ${where}`,
  );
  expect(rows.map(({ explain }) => explain.trim())).toContain(`Name: ${index}`);
});
