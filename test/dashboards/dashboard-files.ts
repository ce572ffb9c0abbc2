// The dashboards as they ship: what each panel and each variable asks, read out of the JSON that Grafana reads.

import { readdirSync, readFileSync } from 'node:fs';

const FOLDER = new URL('../../dashboards/', import.meta.url);

export interface Asked {
  /** `fleet / Calls per minute / A`: where to look when it fails. */
  readonly where: string;
  readonly kind: 'promql' | 'sql';
  readonly text: string;
  /** Asked for one moment instead of a stretch of time. */
  readonly instant: boolean;
  readonly shape: 'timeseries' | 'table';
}

interface DataQuery {
  readonly group: string;
  readonly spec: {
    readonly expr?: string;
    readonly rawSql?: string;
    readonly instant?: boolean;
    readonly queryType?: string;
  };
}

export interface DashboardFile {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly title: string;
    readonly links: readonly { readonly url: string }[];
    readonly elements: Readonly<Record<string, PanelFile>>;
    readonly layout: {
      readonly spec: {
        readonly rows: readonly {
          readonly spec: {
            readonly layout: {
              readonly spec: {
                readonly items: readonly { readonly spec: { readonly element: { readonly name: string } } }[];
              };
            };
          };
        }[];
      };
    };
    readonly variables: readonly {
      readonly kind: string;
      readonly spec: { readonly name: string; readonly query: DataQuery };
    }[];
  };
}

export interface PanelFile {
  readonly spec: {
    readonly title: string;
    readonly description: string;
    readonly data: {
      readonly spec: {
        readonly queries: readonly { readonly spec: { readonly refId: string; readonly query: DataQuery } }[];
      };
    };
  };
}

/** File name without `.json` → its content. */
export function dashboardFiles(): ReadonlyMap<string, DashboardFile> {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
  return new Map(
    names.map((name) => [
      name.replace('.json', ''),
      JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as DashboardFile,
    ]),
  );
}

/** Every question of every dashboard, its variables' too. */
export function everyQuestion(): Asked[] {
  return [...dashboardFiles()].flatMap(([name, { spec }]) => [
    ...Object.values(spec.elements).flatMap(({ spec: panel }) =>
      panel.data.spec.queries.map(({ spec: { refId, query } }) =>
        asked(`${name} / ${panel.title} / ${refId}`, query),
      ),
    ),
    ...spec.variables
      .filter(({ kind }) => kind === 'QueryVariable')
      .map((variable) => asked(`${name} / $${variable.spec.name}`, variable.spec.query)),
  ]);
}

function asked(where: string, { spec }: DataQuery): Asked {
  if (spec.expr !== undefined)
    return { where, kind: 'promql', text: spec.expr, instant: spec.instant ?? false, shape: 'timeseries' };
  const shape = spec.queryType === 'timeseries' ? 'timeseries' : 'table';
  return { where, kind: 'sql', text: spec.rawSql ?? '', instant: false, shape };
}
