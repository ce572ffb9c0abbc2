// What the collector's thread and PGlite's say to each other.

import type { Lane } from './lanes.ts';

/**
 * `script` holds several statements and takes no parameters; it runs as one transaction. `copy` answers its query and
 * copies the database's folder, as it is at that moment, to the folder its one parameter names.
 */
export interface WorkerRequest {
  readonly id: number;
  readonly kind: 'query' | 'script' | 'copy' | 'close';
  readonly lane: Lane;
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

export interface WorkerAnswer {
  readonly id: number;
  readonly rows?: readonly Record<string, unknown>[];
  readonly failure?: { readonly message: string; readonly code: string };
}

/** The answer to no request: the database is open. */
export const READY_ID = 0;
