// Paths of a provider that we know and keep shut, each with its reason: what a refusal adds to "is not an endpoint that
// can be metered". First match wins; the tail is what follows the version (or Azure's `/openai`).

import type { RequestHead } from './dialect.ts';

export interface ClosedPath {
  /** The first segments after the version. */
  readonly under: string;
  readonly why: string;
}

const PREFIX = /^(?:\/(?!v\d)[A-Za-z0-9._~-]+){0,4}?(?:\/v\d{1,2}|\/openai(?!\/v\d))\/|^\//;

export function whyClosed(closed: readonly ClosedPath[], { path }: RequestHead): string | null {
  const tail = path.slice(PREFIX.exec(path)?.[0].length ?? 0);
  const found = closed.find(({ under }) => tail === under || tail.startsWith(`${under}/`));
  return found?.why ?? null;
}
