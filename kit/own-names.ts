// The names under which a door of ours may be called. A page in somebody's browser that made its own name point here (DNS
// rebinding) is told by the name it uses.

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);
const IP_ADDRESS = /^(\[.*\]|[\d.]+)$/;

export interface OwnNames {
  /** Of a `Host` header: `name` or `name:port`. */
  hasHost(host: string): boolean;
  /** Of an `Origin` header or any other URL. */
  hasUrl(url: string): boolean;
}

/** `names` besides loopback's; `anyAddress` adds every IP address (no name, so nothing to rebind). */
export function ownNames(names: readonly string[], anyAddress: boolean): OwnNames {
  const known = new Set(names.map((name) => name.toLowerCase()));
  const hasUrl = (url: string): boolean => {
    if (!URL.canParse(url)) return false;
    const { hostname } = new URL(url);
    return LOOPBACK.has(hostname) || known.has(hostname) || (anyAddress && IP_ADDRESS.test(hostname));
  };
  return { hasUrl, hasHost: (host) => !/[/@?#\\]/.test(host) && hasUrl(`http://${host}`) };
}
