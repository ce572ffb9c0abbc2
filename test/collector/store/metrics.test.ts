// Data points of all five kinds become rows with the exporter's columns, once.

import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { walkFraming } from '../../../collector/receive/framing.ts';
import { jsonToProtobuf } from '../../../collector/receive/json-to-protobuf.ts';
import { SegmentRejected } from '../../../collector/store/failures.ts';
import type { Segment, Store } from '../../../collector/store/store.ts';
import { ProtobufWriter } from '../../../kit/protobuf.ts';
import { type OpenedStore, openAnyStore, RECEIVED_AT } from './open.ts';
import { segmentBytes } from './otlp.ts';

let opened: OpenedStore<Store>;
let next = 0;
beforeAll(async () => {
  opened = await openAnyStore();
});
afterAll(() => opened.close());

const AT = RECEIVED_AT - 60_000_000_000n;
const START = AT - 3_600_000_000_000n;
const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
const TIMES = { startTimeUnixNano: String(START), timeUnixNano: String(AT), flags: 1 };
const POINT = { ...TIMES, attributes: [text('k', 'v'), text('outrider.agent', 'scout')] };
const EXEMPLAR = {
  timeUnixNano: String(AT),
  asInt: '-3',
  spanId: 'eee19b7ec3c1b174',
  traceId: '5b8efff798038103d269b633813fc60c',
  filteredAttributes: [text('f', 'g')],
};

function segmentOf(metrics: readonly unknown[], sender: string): Segment {
  next += 1;
  const scope = { name: 'meter', version: '2', attributes: [text('of', 'scope')], droppedAttributesCount: 4 };
  const scopeMetrics = [{ scope, metrics, schemaUrl: 'https://scope.example' }];
  const resource = { attributes: [text('service.name', 'fleet')] };
  const request = { resourceMetrics: [{ resource, scopeMetrics, schemaUrl: 'https://resource.example' }] };
  const bytes = jsonToProtobuf('metrics', Buffer.from(JSON.stringify(request)));
  return opened.segment(`${String(next).padStart(12, '0')}-00c0ffee-metrics`, [bytes], sender);
}

function requestWithEmptyBounds(): Buffer {
  const writer = new ProtobufWriter(64);
  const nested = (fields: readonly number[], write: () => void): void => {
    const [field, ...rest] = fields;
    if (field === undefined) write();
    else writer.message(field, () => nested(rest, write));
  };
  const [part, scope, metric, histogram, point, bounds] = [1, 2, 2, 9, 1, 7];
  nested([part, scope, metric, histogram, point], () => writer.bytes(bounds, Buffer.alloc(0)));
  return writer.finish();
}

const KINDS = {
  gauge: { gauge: { dataPoints: [{ ...POINT, asDouble: 1.5, exemplars: [EXEMPLAR] }] } },
  sum: {
    sum: {
      dataPoints: [{ ...POINT, asInt: '-9007199254740993', exemplars: [EXEMPLAR] }],
      aggregationTemporality: 2,
      isMonotonic: true,
    },
  },
  histogram: {
    histogram: {
      dataPoints: [
        {
          ...POINT,
          count: '3',
          sum: 6.5,
          bucketCounts: ['1', 2, '0'],
          explicitBounds: [1, 2.5],
          min: 0.5,
          max: 4,
          exemplars: [EXEMPLAR],
        },
      ],
      aggregationTemporality: 1,
    },
  },
  exponential_histogram: {
    exponentialHistogram: {
      dataPoints: [
        {
          ...POINT,
          count: '9',
          sum: 6.5,
          scale: -2,
          zeroCount: '1',
          positive: { offset: -3, bucketCounts: ['1', '18446744073709551615'] },
          negative: { offset: 300, bucketCounts: [] },
          min: 0.5,
          max: 4,
          exemplars: [EXEMPLAR],
        },
      ],
      aggregationTemporality: 1,
    },
  },
  summary: {
    summary: {
      dataPoints: [
        {
          ...POINT,
          count: '4',
          sum: 10,
          quantileValues: [
            { quantile: 0.5, value: 2 },
            { quantile: 1, value: 9 },
          ],
        },
      ],
    },
  },
} as const;

const EXEMPLAR_ROW = {
  'Exemplars.FilteredAttributes': [{ f: 'g' }],
  'Exemplars.TimeUnix': [expect.any(String)],
  'Exemplars.Value': [-3],
  'Exemplars.SpanId': ['eee19b7ec3c1b174'],
  'Exemplars.TraceId': ['5b8efff798038103d269b633813fc60c'],
};
const COUNTED = { Sum: 6.5, Min: 0.5, Max: 4, AggregationTemporality: 1, ...EXEMPLAR_ROW };
const OWN_COLUMNS: Readonly<Record<keyof typeof KINDS, object>> = {
  gauge: { Value: 1.5, ...EXEMPLAR_ROW },
  sum: { Value: -9007199254740992, AggregationTemporality: 2, IsMonotonic: true, ...EXEMPLAR_ROW },
  histogram: { Count: '3', BucketCounts: ['1', '2', '0'], ExplicitBounds: [1, 2.5], ...COUNTED },
  exponential_histogram: {
    Count: '9',
    Scale: -2,
    ZeroCount: '1',
    PositiveOffset: -3,
    PositiveBucketCounts: ['1', '18446744073709551615'],
    NegativeOffset: 300,
    NegativeBucketCounts: [],
    ...COUNTED,
  },
  summary: { Count: '4', Sum: 10, 'ValueAtQuantiles.Quantile': [0.5, 1], 'ValueAtQuantiles.Value': [2, 9] },
};

test.each(Object.keys(KINDS) as (keyof typeof KINDS)[])('%s: every column, once', async (kind) => {
  const name = `test.${kind}`;
  const segment = segmentOf([{ name, description: 'what it is', unit: '{item}', ...KINDS[kind] }], '');
  expect(await opened.store.load(segment)).toEqual({ items: 1 });
  expect(await opened.store.load(segment)).toEqual({ items: 1 });
  const rows = await opened.store.query<Record<string, unknown>>(
    `SELECT * EXCEPT (StartTimeUnix, TimeUnix, ReceivedAt, SegmentId),
      toUnixTimestamp64Nano(StartTimeUnix) AS Start, toUnixTimestamp64Nano(TimeUnix) AS Time
     FROM otel_metrics_${kind} WHERE MetricName = {name:String}`,
    { name },
  );
  expect(rows).toEqual([
    {
      ResourceAttributes: { 'service.name': 'fleet' },
      ResourceSchemaUrl: 'https://resource.example',
      ScopeName: 'meter',
      ScopeVersion: '2',
      ScopeAttributes: { of: 'scope' },
      ScopeDroppedAttrCount: 4,
      ScopeSchemaUrl: 'https://scope.example',
      ServiceName: 'fleet',
      MetricName: name,
      MetricDescription: 'what it is',
      MetricUnit: '{item}',
      Attributes: { k: 'v' },
      Flags: 1,
      Sender: '',
      Start: String(START),
      Time: String(AT),
      ...OWN_COLUMNS[kind],
    },
  ]);
});

test('all kinds in one segment, each where it belongs', async () => {
  const metrics = Object.entries(KINDS).map(([kind, data]) => ({ name: `together.${kind}`, ...data }));
  const segment = segmentOf(metrics, 'join');
  expect(await opened.store.load(segment)).toEqual({ items: 5 });
  for (const kind of Object.keys(KINDS)) {
    const rows = await opened.store.query(
      `SELECT MetricName AS name, Attributes['outrider.agent'] AS agent FROM otel_metrics_${kind} WHERE MetricName LIKE 'together.%'`,
    );
    expect(rows).toEqual([{ name: `together.${kind}`, agent: 'scout' }]);
  }
});

test('a segment that one table refuses leaves nothing in the others, and comes again in halves', async () => {
  const gauge = { name: 'refused.gauge', ...KINDS.gauge };
  const good = segmentOf([gauge], '');
  const broken = segmentOf([gauge], '');
  // An empty packed list, which the database can't read, so that the door writes it anew.
  const emptyList = requestWithEmptyBounds();
  expect(walkFraming('metrics', emptyList).isLoose).toBe(true);
  const bytes = Buffer.concat([readFileSync(good.path), segmentBytes([emptyList], '', RECEIVED_AT)]);
  writeFileSync(broken.path, bytes);
  for (let time = 0; time < 2; time += 1)
    await expect(opened.store.load({ ...broken, bytes: bytes.length })).rejects.toBeInstanceOf(
      SegmentRejected,
    );
  const stored = () =>
    opened.store.query(
      `SELECT (SELECT count() FROM otel_metrics_gauge WHERE MetricName = 'refused.gauge') AS points,
        (SELECT sum(Spans) FROM otel_segments WHERE SegmentId = {id:String}) AS counted`,
      { id: broken.id },
    );
  await opened.store.takeBack({ ...broken, bytes: bytes.length });
  expect(await stored()).toEqual([{ points: '0', counted: '0' }]);
  expect(await opened.store.load({ ...good, id: `${broken.id}.0` })).toEqual({ items: 1 });
  expect(await stored()).toEqual([{ points: '1', counted: '0' }]);
});

test("the depth of a queue goes by the agent's name where a known sender says it, else by the service's", async () => {
  const gauge = (asInt: string) => ({
    name: 'outrider.queue.depth',
    unit: '{item}',
    gauge: { dataPoints: [{ ...POINT, asInt }] },
  });
  await opened.store.load(segmentOf([gauge('12')], 'join'));
  await opened.store.load(segmentOf([gauge('7')], ''));
  expect(await opened.store.query('SELECT agent_id, depth FROM queue_depths ORDER BY depth')).toEqual([
    { agent_id: 'fleet', depth: 7 },
    { agent_id: 'scout', depth: 12 },
  ]);
});
