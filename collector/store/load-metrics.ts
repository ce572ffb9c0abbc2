// Data points of a segment as rows of the five otel_metrics tables: a statement for each kind, which reads that kind alone.
// Source: opentelemetry-proto, metrics/v1 and collector/metrics/v1; columns as the OpenTelemetry ClickHouse exporter.

import { attributeMap, scalarAttributeMap } from './attribute-sql.ts';
import {
  clamped,
  itemsOf,
  type Load,
  lowerHex,
  nanoTime,
  SERVICE_NAME,
  type Source,
  STAMP,
} from './load-parts.ts';
import { array, attributes, protobufSchema, scalarAttributes, tuple } from './otlp-schema.ts';

const TIMES = 'fixed64 start_time_unix_nano = 2; fixed64 time_unix_nano = 3;';
const MESSAGES = `message Exemplar { fixed64 time_unix_nano = 2; double as_double = 3; bytes span_id = 4; bytes trace_id = 5; sfixed64 as_int = 6; repeated Attribute filtered_attributes = 7; }
message NumberPoint { ${TIMES} double as_double = 4; repeated Exemplar exemplars = 5; sfixed64 as_int = 6; repeated Attribute attributes = 7; uint32 flags = 8; }
message HistogramPoint { ${TIMES} fixed64 count = 4; double sum = 5; repeated fixed64 bucket_counts = 6; repeated double explicit_bounds = 7; repeated Exemplar exemplars = 8; repeated Attribute attributes = 9; uint32 flags = 10; double min = 11; double max = 12; }
message Buckets { sint32 offset = 1; repeated uint64 bucket_counts = 2; }
message ExponentialPoint { repeated Attribute attributes = 1; ${TIMES} fixed64 count = 4; double sum = 5; sint32 scale = 6; fixed64 zero_count = 7; Buckets positive = 8; Buckets negative = 9; uint32 flags = 10; repeated Exemplar exemplars = 11; double min = 12; double max = 13; }
message Quantile { double quantile = 1; double value = 2; }
message SummaryPoint { ${TIMES} fixed64 count = 4; double sum = 5; repeated Quantile quantile_values = 6; repeated Attribute attributes = 7; uint32 flags = 8; }
message Gauge { repeated NumberPoint data_points = 1; }
message Sum { repeated NumberPoint data_points = 1; int32 aggregation_temporality = 2; bool is_monotonic = 3; }
message Histogram { repeated HistogramPoint data_points = 1; int32 aggregation_temporality = 2; }
message ExponentialHistogram { repeated ExponentialPoint data_points = 1; int32 aggregation_temporality = 2; }
message Summary { repeated SummaryPoint data_points = 1; }
message Metric { string name = 1; string description = 2; string unit = 3; Gauge gauge = 5; Sum sum = 7; Histogram histogram = 9; ExponentialHistogram exponential_histogram = 10; Summary summary = 11; }
message ScopeMetrics { Scope scope = 1; repeated Metric metrics = 2; string schema_url = 3; }
message ResourceMetrics { Resource resource = 1; repeated ScopeMetrics scope_metrics = 2; string schema_url = 3; }`;
const SCHEMA = protobufSchema(MESSAGES, 'ResourceMetrics', 'resource_metrics');

const POINT = ['start_time_unix_nano UInt64', 'time_unix_nano UInt64', attributes(), 'flags UInt32'];
const NUMBER = ['as_double Float64', 'as_int Int64'];
const EXEMPLARS = `exemplars ${array('time_unix_nano UInt64', ...NUMBER, 'span_id String', 'trace_id String', scalarAttributes('filtered_attributes'))}`;
const COUNTED = ['count UInt64', 'sum Float64'];
const EXTREMES = ['min Float64', 'max Float64'];
const BUCKETS = tuple('offset Int32', 'bucket_counts Array(UInt64)');
const TEMPORALITY = 'aggregation_temporality Int32';

/** A value is one or the other; what is not there reads as zero. */
const number = (of: string, int = `${of}.as_int`, double = `${of}.as_double`) =>
  `if(${int} != 0, toFloat64(${int}), ${double})`;
const anyTime = (at: string) => nanoTime(`least(${at}, 9223372036854775807)`);

const EXEMPLAR_COLUMNS = {
  '`Exemplars.FilteredAttributes`': `arrayMap(list -> ${scalarAttributeMap('list')}, point.exemplars.filtered_attributes)`,
  '`Exemplars.TimeUnix`': `arrayMap(at -> ${anyTime('at')}, point.exemplars.time_unix_nano)`,
  '`Exemplars.Value`': `arrayMap((int, double) -> ${number('', 'int', 'double')}, point.exemplars.as_int, point.exemplars.as_double)`,
  '`Exemplars.SpanId`': `arrayMap(id -> ${lowerHex('id')}, point.exemplars.span_id)`,
  '`Exemplars.TraceId`': `arrayMap(id -> ${lowerHex('id')}, point.exemplars.trace_id)`,
};

interface Kind {
  readonly table: string;
  /** The metric's field that holds it, what stands there beside the points, and what a point holds. */
  readonly field: string;
  readonly beside: readonly string[];
  readonly point: readonly string[];
  readonly columns: Readonly<Record<string, string>>;
}

function loadOf({ table, field, beside, point, columns }: Kind): Load {
  const data = tuple(`data_points ${array(...POINT, ...point)}`, ...beside);
  const scopesType = array(
    `scope ${tuple('name String', 'version String', attributes(), 'dropped_attributes_count UInt32')}`,
    `metrics ${array('name String', 'description String', 'unit String', `${field} ${data}`)}`,
    'schema_url String',
  );
  const metrics = (source: Source) =>
    itemsOf(source, {
      parts: 'resource_metrics',
      partColumns: ['schema_url String'],
      scopes: 'scope_metrics',
      scopesType,
      items: 'metrics',
      ofPart: { resource_schema_url: 'part.schema_url' },
      ofScope: {
        scope_name: 'scope.scope.name',
        scope_version: 'scope.scope.version',
        scope_attributes: attributeMap('scope.scope.attributes'),
        scope_dropped: 'scope.scope.dropped_attributes_count',
        scope_schema_url: 'scope.schema_url',
      },
      fields: {
        name: 'item.name',
        description: 'item.description',
        unit: 'item.unit',
        data: `item.${field}`,
      },
    });
  return {
    table,
    schema: SCHEMA,
    rows: (source) => `SELECT *, arrayJoin(data.data_points) AS point FROM (${metrics(source)})`,
    columns: {
      ResourceAttributes: 'resource',
      ResourceSchemaUrl: 'resource_schema_url',
      ScopeName: 'scope_name',
      ScopeVersion: 'scope_version',
      ScopeAttributes: 'scope_attributes',
      ScopeDroppedAttrCount: 'scope_dropped',
      ScopeSchemaUrl: 'scope_schema_url',
      ServiceName: SERVICE_NAME,
      MetricName: 'name',
      MetricDescription: 'description',
      MetricUnit: 'unit',
      Attributes: attributeMap('point.attributes'),
      StartTimeUnix: anyTime('point.start_time_unix_nano'),
      TimeUnix: nanoTime(clamped('point.time_unix_nano')),
      Flags: 'point.flags',
      ...columns,
      ...STAMP,
    },
  };
}

const COUNT_AND_SUM = { Count: 'point.count', Sum: 'point.sum' };
const MIN_AND_MAX = { Min: 'point.min', Max: 'point.max' };
const AGGREGATION = { AggregationTemporality: 'data.aggregation_temporality' };

export const METRICS: readonly Load[] = [
  loadOf({
    table: 'otel_metrics_gauge',
    field: 'gauge',
    beside: [],
    point: [...NUMBER, EXEMPLARS],
    columns: { Value: number('point'), ...EXEMPLAR_COLUMNS },
  }),
  loadOf({
    table: 'otel_metrics_sum',
    field: 'sum',
    beside: [TEMPORALITY, 'is_monotonic Bool'],
    point: [...NUMBER, EXEMPLARS],
    columns: {
      Value: number('point'),
      ...EXEMPLAR_COLUMNS,
      ...AGGREGATION,
      IsMonotonic: 'data.is_monotonic',
    },
  }),
  loadOf({
    table: 'otel_metrics_histogram',
    field: 'histogram',
    beside: [TEMPORALITY],
    point: [
      ...COUNTED,
      'bucket_counts Array(UInt64)',
      'explicit_bounds Array(Float64)',
      EXEMPLARS,
      ...EXTREMES,
    ],
    columns: {
      ...COUNT_AND_SUM,
      BucketCounts: 'point.bucket_counts',
      ExplicitBounds: 'point.explicit_bounds',
      ...EXEMPLAR_COLUMNS,
      ...MIN_AND_MAX,
      ...AGGREGATION,
    },
  }),
  loadOf({
    table: 'otel_metrics_exponential_histogram',
    field: 'exponential_histogram',
    beside: [TEMPORALITY],
    point: [
      ...COUNTED,
      'scale Int32',
      'zero_count UInt64',
      `positive ${BUCKETS}`,
      `negative ${BUCKETS}`,
      EXEMPLARS,
      ...EXTREMES,
    ],
    columns: {
      ...COUNT_AND_SUM,
      Scale: 'point.scale',
      ZeroCount: 'point.zero_count',
      PositiveOffset: 'point.positive.offset',
      PositiveBucketCounts: 'point.positive.bucket_counts',
      NegativeOffset: 'point.negative.offset',
      NegativeBucketCounts: 'point.negative.bucket_counts',
      ...EXEMPLAR_COLUMNS,
      ...MIN_AND_MAX,
      ...AGGREGATION,
    },
  }),
  loadOf({
    table: 'otel_metrics_summary',
    field: 'summary',
    beside: [],
    point: [...COUNTED, `quantile_values ${array('quantile Float64', 'value Float64')}`],
    columns: {
      ...COUNT_AND_SUM,
      '`ValueAtQuantiles.Quantile`': 'point.quantile_values.quantile',
      '`ValueAtQuantiles.Value`': 'point.quantile_values.value',
    },
  }),
];
