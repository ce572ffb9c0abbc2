// What a reader may pick on every dashboard: the two data sources, agents, departments, and where the console is.

import * as v2 from '@grafana/grafana-foundation-sdk/dashboardv2';
import { variable } from './source/panel.ts';

const ALL: v2.VariableOption = { text: 'All', value: '$__all' };

export function variables() {
  return [
    source('prometheus', 'Metrics', 'prometheus'),
    source('clickhouse', 'Records', 'grafana-clickhouse-datasource'),
    picked(
      'department',
      'Department',
      "SELECT DISTINCT department FROM calls_1m WHERE $__timeFilter(time) AND department != '' ORDER BY department",
    ),
    picked(
      'agent',
      'Agent',
      'SELECT DISTINCT agent_id FROM calls_1m WHERE $__timeFilter(time) ORDER BY agent_id',
    ),
    new v2.TextVariableBuilder('console')
      .label('Console')
      .description('Where the collector’s control API answers; links to traces lead there.')
      .query('http://127.0.0.1:4319')
      .current({ text: 'http://127.0.0.1:4319', value: 'http://127.0.0.1:4319' }),
  ];
}

function source(name: string, label: string, pluginId: string): v2.DatasourceVariableBuilder {
  return new v2.DatasourceVariableBuilder(name)
    .label(label)
    .pluginId(pluginId)
    .refresh(v2.VariableRefresh.OnDashboardLoad)
    .current({ text: name, value: name });
}

function picked(name: string, label: string, sql: string): v2.QueryVariableBuilder {
  const query: v2.DataQueryKind = {
    kind: 'DataQuery',
    group: 'grafana-clickhouse-datasource',
    version: 'v0',
    datasource: { name: variable('clickhouse') },
    spec: { rawSql: sql, editorType: 'sql', queryType: 'table', format: 1, refId: name },
  };
  return new v2.QueryVariableBuilder(name)
    .label(label)
    .query({ build: () => query })
    .definition(sql)
    .refresh(v2.VariableRefresh.OnTimeRangeChanged)
    .sort(v2.VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current(ALL);
}
