// `GET https://api.example/v1/**`: a method and a canonical url without query. Schemes, hosts and ports are compared on
// their own, so a path can never pass for a host; a port left out is the scheme's.

import type { Subject } from '../rules.ts';
import { compilePath } from './glob.ts';
import { compileHost } from './host.ts';
import { RuleError } from './rule-error.ts';

type HttpSubject = Extract<Subject, { kind: 'http' }>;

export interface HttpTarget {
  readonly matches: (subject: HttpSubject) => boolean;
  /** Whether some path of `https://host[:port]` could match. */
  readonly reaches: (origin: string, declared: boolean) => boolean;
  /** `https://host:port` when the host is exact, and the path up to its first star. */
  readonly origin: string | null;
  readonly pathStart: string;
}

const METHOD = /^[A-Z]{1,20}$/;
const PORTS: Readonly<Record<string, string>> = { http: '80', https: '443' };

/** How the upgrade to a WebSocket is judged: no other method covers it, and `*` only where a rule refuses. */
export const WEBSOCKET = 'WEBSOCKET';

/** `refuses`: then `*` is any method and a loose host also covers declared upstreams. */
export function compileHttp(method: string, url: string, refuses: boolean): HttpTarget {
  if (method !== '*' && !METHOD.test(method)) {
    throw new RuleError(
      `"${method}" is not a method`,
      METHOD.test(method.toUpperCase()) ? method.toUpperCase() : undefined,
    );
  }
  const { scheme, host, port, path } = split(url);
  const pattern = compileHost(host);
  const matchesPath = compilePath(canonicalPath(path));
  const prefix = `${scheme}://`;
  const closed = pattern.loose && !refuses;
  const anyMethod = refuses ? null : WEBSOCKET;
  const reaches = (url: string, declared: boolean): boolean => {
    if ((closed && declared) || !url.startsWith(prefix)) return false;
    const slash = url.indexOf('/', prefix.length);
    const authority = slash < 0 ? url.slice(prefix.length) : url.slice(prefix.length, slash);
    const [otherHost, otherPort] = splitPort(authority.toLowerCase(), scheme);
    return otherPort === port && pattern.matches(otherHost);
  };
  const matches = (subject: HttpSubject): boolean => {
    if (method === '*' ? subject.method === anyMethod : subject.method !== method) return false;
    if (!reaches(subject.url, subject.declared)) return false;
    const slash = subject.url.indexOf('/', prefix.length);
    return matchesPath(slash < 0 ? '/' : subject.url.slice(slash));
  };
  const origin = pattern.exact === null ? null : new URL(`${prefix}${pattern.exact}:${port}`).origin;
  return { matches, reaches, origin, pathStart: path.split('*', 1)[0]! };
}

function split(url: string): { scheme: string; host: string; port: string; path: string } {
  const match = /^(https?):\/\/([^/?#]+)(\/[^?#]*)?$/i.exec(url);
  if (!match) {
    throw new RuleError(
      /[?#]/.test(url)
        ? 'rules do not see the query of a url: end it before ? or #'
        : /^wss?:/i.test(url)
          ? 'a WebSocket is told by its method: write https for wss, http for ws, as in http WEBSOCKET https://live.example/**'
          : `"${url}" is not a url such as https://api.example.com/v1/**`,
    );
  }
  const scheme = match[1]!.toLowerCase();
  if (match[2]!.includes('@')) throw new RuleError('a url in a rule holds no user or password');
  const [host, port] = splitPort(match[2]!, scheme);
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
    throw new RuleError(`"${port}" is not a port`);
  }
  return { scheme, host, port: String(Number(port)), path: match[3] ?? '/' };
}

function splitPort(authority: string, scheme: string): [host: string, port: string] {
  const colon = authority.indexOf(':', authority.startsWith('[') ? authority.indexOf(']') : 0);
  return colon < 0 ? [authority, PORTS[scheme]!] : [authority.slice(0, colon), authority.slice(colon + 1)];
}

/** Only canonical paths are ever judged: a pattern that is not canonical could never match. */
function canonicalPath(path: string): string {
  const broken = (why: string) => new RuleError(`the path "${path}" can never match: ${why}`);
  if (path.replace(/\/\*\*$/, '').includes('**')) {
    throw new RuleError(
      `in "${path}", ** stands for the rest of the path and only at its end, after a slash`,
    );
  }
  if (/[^\x21-\x7e]|[\\"<>^`{|}]/.test(path)) throw broken('write other characters percent-encoded');
  if (path.includes('//')) throw broken('it holds an empty segment');
  if (/(^|\/)\.{1,2}(\/|$)/.test(path)) throw broken('it holds a dot segment');
  if (/%(?![0-9A-F]{2})/.test(path)) throw broken('percent-encoding is two hex digits in upper case');
  if (/%(2F|5C|[01][0-9A-F]|7F)/.test(path)) throw broken('encoded slashes and control bytes are refused');
  if (/%(2D|2E|5F|7E|3[0-9]|[46][1-9A-F]|[57][0-9A])/.test(path))
    throw broken('unreserved characters stand bare');
  return path;
}
