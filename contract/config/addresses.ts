// URLs of upstreams and addresses of listeners, in their one canonical form.

import type { Read } from './units.ts';

/** Canonical, without trailing slash: `HTTPS://API.Example:443/v1/` → `https://api.example/v1`. */
export function readUrl(text: string): Read<string> {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme !== 'http' && scheme !== 'https') return { mistake: 'a url begins with http:// or https://' };
  if (!URL.canParse(text)) return { mistake: 'this is not a url' };
  const url = new URL(text);
  if (url.username || url.password || text.includes('@')) {
    return { mistake: 'a url holds no user or password: name a credential instead' };
  }
  if (text.includes('?') || text.includes('#')) return { mistake: 'a url ends before any ? or #' };
  if (/[\s\\]/.test(text) || /\/\.{1,2}(\/|$)|%2e|%2f|%5c/i.test(text) || url.pathname.includes('//')) {
    return { mistake: 'the path of a url holds no dot segments, empty segments, encoded slashes or blanks' };
  }
  return { value: `${url.origin}${url.pathname.replace(/\/$/, '')}` };
}

/** As a browser names a page's: scheme, host and port, no path. */
export function readOrigin(text: string): Read<string> {
  const read = readUrl(text);
  if ('mistake' in read) return read;
  return new URL(read.value).origin === read.value ? read : { mistake: 'an origin has no path' };
}

/** The path of an upstream's url, without a closing slash. */
export const basePathOf = (url: string): string => new URL(url).pathname.replace(/\/$/, '');

/** An upstream without an address: a command, which `outrider mcp` starts. */
export const STDIO = 'stdio:';

export const readUpstreamUrl = (text: string): Read<string> =>
  text === 'stdio' ? { value: STDIO } : readUrl(text);

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `127.0.0.1:4320`, `[::1]:0`, `localhost:4320`. */
export function readAddress(text: string): Read<Address> {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+):(\d{1,5})$/i.exec(text.trim());
  if (!match || Number(match[2]) > 65_535 || !URL.canParse(`http://${match[1]}/`)) {
    return { mistake: 'write host:port, such as 127.0.0.1:4320; port 0 picks a free one' };
  }
  return { value: { host: match[1]!.toLowerCase(), port: Number(match[2]) } };
}

export function isLoopback(host: string): boolean {
  const canonical = new URL(`http://${host}/`).hostname;
  return canonical === 'localhost' || canonical === '[::1]' || /^127(\.\d{1,3}){3}$/.test(canonical);
}
