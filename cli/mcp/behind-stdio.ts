// The config of a sidecar that stands before a command: the upstream's url is where the command is served on this machine
// alone, and the key to it is a credential like any other.

import { STDIO } from '../../contract/config/addresses.ts';
import { closest } from '../../contract/config/closest.ts';
import type { Config, Upstream } from '../../contract/config/config.ts';
import { TIMEOUTS_DEFAULT } from '../../contract/config/defaults.ts';

/** The variable, of this process alone, that the key is read from; and the credential's name in records. */
export const KEY_VARIABLE = 'OUTRIDER_STDIO_KEY';
const CREDENTIAL = 'stdio';

/** The upstream as declared. Without any config file it need not be. Throws an Error with one sentence. */
export function stdioUpstream(config: Config, name: string): Upstream {
  const upstream = config.upstreams.get(name);
  if (upstream?.speaks === 'mcp') return upstream;
  if (upstream) throw new Error(`The upstream ${name} speaks ${upstream.speaks}, and a command speaks mcp.`);
  if (config.sources.length === 0) return undeclared(name);
  const meant = closest(name, config.upstreams.keys());
  throw new Error(
    `No upstream is called ${name}${meant ? ` (did you mean ${meant}?)` : ''}: declare it as \`${name}: { url: stdio, speaks: mcp }\` under \`upstreams:\`.`,
  );
}

const undeclared = (name: string): Upstream => ({
  name,
  url: STDIO,
  speaks: 'mcp',
  credential: null,
  pricedAs: null,
  timeouts: TIMEOUTS_DEFAULT,
  rates: [],
  declared: true,
});

/** `url` is the command's, served on this machine; the listeners take free ports. */
export function behindStdio(config: Config, upstream: Upstream, url: string): Config {
  const served: Upstream = { ...upstream, url, credential: CREDENTIAL };
  const secret = { from: 'env', locator: KEY_VARIABLE } as const;
  return {
    ...config,
    upstreams: new Map([...config.upstreams, [upstream.name, served]]),
    credentials: new Map([...config.credentials, [CREDENTIAL, { name: CREDENTIAL, secret, header: null }]]),
    listen: { ...config.listen, proxy: '127.0.0.1:0', admin: '127.0.0.1:0' },
  };
}
