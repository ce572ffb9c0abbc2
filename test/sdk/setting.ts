// Where official SDKs are tried: a provider's double, `outrider up` in front of it as a real process, and the ways an
// SDK is pointed at it. A file per family of SDKs runs the same exchanges over each way.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent, ProxyAgent } from 'undici';
import { type Action, REAL_KEY } from '../end-to-end/fleet.ts';
import { openCallRows } from '../support/call-rows.ts';
import {
  rows,
  runOutrider,
  type Started,
  startOutrider,
  temporaryDirectory,
  writeConfig,
} from '../support/processes.ts';
import { type Double, startDouble } from './double.ts';

export { AGENT_KEY, REAL_KEY } from '../end-to-end/fleet.ts';

/**
 * `reverse`: by base URL. `forward`: by a proxy, in plain text. `intercepted`: by a proxy, over TLS that the sidecar
 * opens, with its authority trusted.
 */
export const WAYS = ['reverse', 'forward', 'intercepted'] as const;
export type WayName = (typeof WAYS)[number];

export interface Way {
  readonly name: WayName;
  /** What an SDK takes for the provider's own address; its paths (`/v1`) come behind. */
  readonly baseUrl: string;
  /** How its requests travel: `fetchOptions: { dispatcher }` of OpenAI's and Anthropic's SDKs. */
  readonly dispatcher: Agent | ProxyAgent;
  /** For SDKs that take a `fetch`. */
  readonly fetch: typeof fetch;
}

export interface Setting {
  readonly double: Double;
  readonly proxy: string;
  readonly dataDirectory: string;
  /** `outrider up`, which is sidecar and collector. */
  readonly outrider: Started;
  /**
   * A way to the upstream of that name. In the config there are as many upstreams as ways: `NAME` at `{plain}/NAME`
   * by reverse and forward, and `NAME-tls` at `{tls}/NAME-tls` when intercepted.
   */
  way(name: WayName, upstream: string): Promise<Way>;
  /** The one row of an answered or refused call, by the id its answer carried. It takes a second or two to be there. */
  rowOf(answer: { readonly headers: Headers }): Promise<Action>;
  /** The rows of several, in their order. */
  rowsOf(answers: readonly { readonly headers: Headers }[]): Promise<Action[]>;
  query<Row = Record<string, unknown>>(text: string): Promise<Row[]>;
  stop(): Promise<void>;
}

/**
 * `{plain}` and `{tls}` in `yaml` stand for the double's addresses, `{numeric}` for the plain one as another origin; the
 * listeners are added. `REAL_KEY` is in the
 * environment, for `credentials: { x: { from: env:REAL_KEY } }`.
 */
export async function startSetting(
  yaml: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Setting> {
  const double = await startDouble();
  const directory = temporaryDirectory('sdk');
  const authority = join(directory, 'double.pem');
  writeFileSync(authority, double.authorityPem);
  const text = yaml
    .replaceAll('{plain}', double.plainUrl)
    .replaceAll('{numeric}', double.plainUrl.replace('localhost', '127.0.0.1'))
    .replaceAll('{tls}', double.tlsUrl);
  const config = writeConfig(directory, text + LISTEN);
  const dataDirectory = join(directory, 'data');
  const outrider = await startOutrider(['up', '--config', config, '--data', dataDirectory], {
    ready: 2,
    env: { REAL_KEY, OUTRIDER_TOKEN: '', NODE_EXTRA_CA_CERTS: authority, ...env },
  });
  const proxy = outrider.listen.sidecar!.proxy!;
  const sql = outrider.listen.collector!.sql!;
  const dispatchers: (Agent | ProxyAgent)[] = [];
  const callRows = openCallRows<Action>((statement) => rows(sql, statement));
  const rowsOf: Setting['rowsOf'] = async (answers) => {
    const ids = answers.map(({ headers }) => headers.get('x-outrider-call') ?? '');
    const found = await callRows(ids).catch((failure: unknown) => {
      throw new Error(`rows of ${ids.join()} are missing:\n${outrider.output()}`, { cause: failure });
    });
    return ids.map((id) => found.find(({ call_id }) => call_id === id)!);
  };
  return {
    double,
    proxy,
    dataDirectory,
    outrider,
    async way(name, upstream) {
      const dispatcher =
        name === 'reverse'
          ? new Agent()
          : new ProxyAgent({
              uri: proxy,
              proxyTunnel: name === 'intercepted',
              ...(name === 'intercepted' && { requestTls: { ca: await ownAuthority(dataDirectory) } }),
            });
      dispatchers.push(dispatcher);
      const origin = { reverse: proxy, forward: double.plainUrl, intercepted: double.tlsUrl }[name];
      return { name, baseUrl: `${origin}/${upstream}`, dispatcher, fetch: fetchBy(dispatcher) };
    },
    rowOf: async (answer) => (await rowsOf([answer]))[0]!,
    rowsOf,
    query: (statement) => rows(sql, statement),
    async stop() {
      await Promise.all(dispatchers.map((dispatcher) => dispatcher.destroy()));
      outrider.child.kill('SIGTERM');
      await outrider.exited;
      await double.close();
    },
  };
}

const LISTEN =
  'listen: { proxy: 127.0.0.1:0, admin: 127.0.0.1:0, otlp: 127.0.0.1:0, control: 127.0.0.1:0, sql: 127.0.0.1:0 }\n';

const fetchBy =
  (dispatcher: Agent | ProxyAgent): typeof fetch =>
  (input, init) =>
    fetch(input, { ...init, dispatcher } as unknown as RequestInit);

/** As an operator gets it: `outrider ca`. */
async function ownAuthority(dataDirectory: string): Promise<string> {
  const { code, stderr } = await runOutrider(['ca', '--data', dataDirectory]);
  if (code !== 0) throw new Error(stderr);
  return readFileSync(join(dataDirectory, 'ca', 'ca.pem'), 'utf8');
}
