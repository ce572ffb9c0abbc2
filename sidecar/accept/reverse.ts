// The reverse door: an agent's base URL points here, `/<upstream>/<path>`.

import { readPath, type Target } from './target.ts';

/** Throws Refusal `bad_request` where the target is not a canonical path. */
export function readReverse(url: string): Target {
  const { path: whole, query } = readPath(url);
  const slash = whole.indexOf('/', 1);
  return slash < 0
    ? { to: { kind: 'upstream', name: whole.slice(1) }, path: '/', query }
    : { to: { kind: 'upstream', name: whole.slice(1, slash) }, path: whole.slice(slash), query };
}
