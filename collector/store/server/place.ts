// Where a ClickHouse server is, out of the URL of `store.clickhouse`. The URL may hold a password, so only `name` is ever said.

export interface Place {
  readonly origin: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** `host:port/database`. */
  readonly name: string;
}

/** Throws an Error with one sentence, which does not repeat the URL. */
export function readPlace(url: string): Place {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !/^https?:$/.test(parsed.protocol) || !/^\/[^/]*\/?$/.test(parsed.pathname))
    throw new Error('store.clickhouse is not a URL; write https://USER@HOST:8443/DATABASE.');
  const database = decodeURIComponent(parsed.pathname.replaceAll('/', '')) || 'default';
  const port = parsed.port || (parsed.protocol === 'https:' ? '443' : '80');
  return {
    origin: parsed.origin,
    user: decodeURIComponent(parsed.username) || 'default',
    password: decodeURIComponent(parsed.password),
    database,
    name: `${parsed.hostname}:${port}/${database}`,
  };
}
