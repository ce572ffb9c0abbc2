// Turns a dashboard's source into what Grafana reads, with Grafana's own builders: the v2 form (dynamic dashboards,
// Grafana 13), as a resource, which is how file provisioning takes it.

import * as barGauge from '@grafana/grafana-foundation-sdk/bargauge';
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as v2 from '@grafana/grafana-foundation-sdk/dashboardv2';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as table from '@grafana/grafana-foundation-sdk/table';
import * as timeSeries from '@grafana/grafana-foundation-sdk/timeseries';
import {
  type Column,
  type DashboardSource,
  type PanelSource,
  type PromSource,
  type QuerySource,
  type SqlSource,
  variable,
} from './source/panel.ts';
import { variables } from './variables.ts';

const CLICKHOUSE = 'grafana-clickhouse-datasource';
/** The release of the plugin whose query form this is. */
const CLICKHOUSE_VERSION = '4.9.0';
/** A rollup has a row a minute: finer steps would leave holes. */
const STEP_MIN = '1m';
const COLOURS = { good: 'green', warning: '#EAB839', critical: 'red' } as const;

/** The JSON of one dashboard, ending in a newline. */
export function render(source: DashboardSource, all: readonly DashboardSource[]): string {
  const dashboard = new v2.DashboardBuilder(source.title)
    .description(source.description)
    .tags(['outrider'])
    .editable(false)
    .cursorSync(v2.DashboardCursorSync.Crosshair)
    .timeSettings(
      new v2.TimeSettingsBuilder().from('now-6h').to('now').autoRefresh('30s').timezone('browser'),
    )
    .variables(variables())
    .links(all.filter((other) => other !== source).map(linkTo));
  const layout = v2.rows();
  let id = 0;
  for (const { title, panels } of source.rows) {
    const grid = v2.autoGrid().maxColumnCount(3).columnWidthMode('standard').rowHeightMode('standard');
    for (const panel of panels) {
      const name = `panel-${++id}`;
      dashboard.element(name, panelOf(panel).id(id));
      grid.withItem(name);
    }
    layout.row(v2.row(title).layout(grid));
  }
  const manifest = v2.manifest(`outrider-${source.name}`, dashboard.layout(layout)).build();
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

function linkTo({ name, title }: DashboardSource): v2.DashboardLinkBuilder {
  return new v2.DashboardLinkBuilder()
    .title(title.replace('Outrider / ', ''))
    .type(v2.DashboardLinkType.Link)
    .url(`/d/outrider-${name}`)
    .includeVars(true)
    .keepTime(true);
}

function panelOf(panel: PanelSource): v2.PanelBuilder {
  const group = new v2.QueryGroupBuilder().queryOptions(new v2.QueryOptionsSpecBuilder().interval(STEP_MIN));
  for (const [i, query] of panel.queries.entries()) {
    group.target(new v2.TargetBuilder().refId(String.fromCharCode(65 + i)).query(queryOf(query, panel)));
  }
  return new v2.PanelBuilder()
    .title(panel.title)
    .description(panel.asks)
    .data(group)
    .visualization(visualOf(panel));
}

function queryOf(query: QuerySource, panel: PanelSource) {
  return query.from === 'prometheus' ? promQuery(query, panel) : sqlQuery(query);
}

function promQuery({ expr, legend, instant }: PromSource, { draw }: PanelSource): prometheus.QueryV2Builder {
  return new prometheus.QueryV2Builder()
    .datasource({ name: variable('prometheus') })
    .editorMode(prometheus.QueryEditorMode.Code)
    .expr(expr)
    .legendFormat(legend || '__auto')
    .format(draw === 'table' ? prometheus.PromQueryFormat.Table : prometheus.PromQueryFormat.TimeSeries)
    .instant(instant)
    .range(!instant);
}

/** The data source's own form (v4): the SDK has no builder for a plugin's queries. */
function sqlQuery({ sql, shape }: SqlSource): { build(): v2.DataQueryKind } {
  const spec = {
    rawSql: sql,
    editorType: 'sql',
    queryType: shape,
    format: shape === 'timeseries' ? 0 : 1,
    pluginVersion: CLICKHOUSE_VERSION,
  };
  const query: v2.DataQueryKind = {
    kind: 'DataQuery',
    group: CLICKHOUSE,
    version: 'v0',
    datasource: { name: variable('clickhouse') },
    spec,
  };
  return { build: () => query };
}

function visualOf(panel: PanelSource) {
  const { unit, draw, columns = {} } = panel;
  if (draw === 'table') {
    const visual = new table.VisualizationV2Builder().filterable(true);
    for (const [name, column] of Object.entries(columns)) visual.overrideByName(name, propertiesOf(column));
    return visual;
  }
  const visual = chartOf(draw).thresholds(thresholdsOf(panel));
  return unit === undefined ? visual : visual.unit(unit);
}

function chartOf(draw: Exclude<PanelSource['draw'], 'table'>) {
  if (draw === 'stat') {
    return new stat.VisualizationV2Builder()
      .colorMode(common.BigValueColorMode.Value)
      .graphMode(common.BigValueGraphMode.Area)
      .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']));
  }
  if (draw === 'bars') {
    return new barGauge.VisualizationV2Builder()
      .orientation(common.VizOrientation.Horizontal)
      .displayMode(common.BarGaugeDisplayMode.Basic)
      .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(true));
  }
  const lines = new timeSeries.VisualizationV2Builder()
    .lineWidth(1)
    .fillOpacity(draw === 'stacked' ? 30 : 5)
    .showPoints(common.VisibilityMode.Auto)
    .axisSoftMin(0)
    .tooltip(new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi));
  return draw === 'stacked'
    ? lines.stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal))
    : lines;
}

function thresholdsOf({ thresholds }: PanelSource): v2.ThresholdsConfigBuilder {
  const steps: v2.Threshold[] = [{ value: null, color: COLOURS.good }];
  if (thresholds) {
    const [warning, critical] = thresholds;
    if (warning < critical) steps.push({ value: warning, color: COLOURS.warning });
    steps.push({ value: critical, color: COLOURS.critical });
  }
  return new v2.ThresholdsConfigBuilder().mode(v2.ThresholdsMode.Absolute).steps(steps);
}

function propertiesOf({ unit, link }: Column): v2.DynamicConfigValue[] {
  return [
    ...(unit === undefined ? [] : [{ id: 'unit', value: unit }]),
    ...(link === undefined ? [] : [{ id: 'links', value: [link] }]),
  ];
}
