// Where the page is, in the address after `#`: a page, its subject, and what it filters by, so that a link shows the
// same to whoever may look.

import { useSyncExternalStore } from 'react';
import { RANGES, type Range } from '../../../contract/console.ts';

export interface Route {
  /** Segments, decoded: [] is the fleet, ['agents', name], ['calls'], ['trace', id]. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

const DEFAULT_RANGE: Range = '24h';

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    // A half-typed escape is shown as it was typed.
    return segment;
  }
}

export function routeOf(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  return {
    path: path
      .split('/')
      .filter((segment) => segment !== '')
      .map(decoded),
    query: new URLSearchParams(query),
  };
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(
    (tell) => {
      window.addEventListener('hashchange', tell);
      return () => window.removeEventListener('hashchange', tell);
    },
    () => window.location.hash,
  );
  return routeOf(hash);
}

/** Empty values are left out. */
export function href(path: readonly string[], query: Readonly<Record<string, string>> = {}): string {
  const filled = Object.entries(query).filter(([, value]) => value !== '');
  const search = filled.length > 0 ? `?${new URLSearchParams(filled)}` : '';
  return `#/${path.map(encodeURIComponent).join('/')}${search}`;
}

export const agentHref = (name: string): string => href(['agents', name]);
export const traceHref = (trace: string, span = ''): string => href(['trace', trace], { span });
export const callsHref = (query: Readonly<Record<string, string>>): string => href(['calls'], query);

/** Changes the query of the page that is shown, without a step in the history. */
export function replaceQuery(changes: Readonly<Record<string, string>>): void {
  const { path, query } = routeOf(window.location.hash);
  window.history.replaceState(null, '', href(path, { ...Object.fromEntries(query), ...changes }));
  window.dispatchEvent(new HashChangeEvent('hashchange'));
}

export function rangeOf(query: URLSearchParams): Range {
  const asked = query.get('range') ?? '';
  return Object.hasOwn(RANGES, asked) ? (asked as Range) : DEFAULT_RANGE;
}
