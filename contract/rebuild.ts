// Making tables that are counted from others anew.

/** In the order in which they are made: one is counted from another before it. */
export const REBUILDABLE = [
  'otel_traces_trace_id_ts',
  'calls_1m',
  'calls_1h',
  'task_calls',
  'agent_edge_calls',
  'task_ends',
  'agent_uses',
  'tools_1h',
] as const;
export type Rebuildable = (typeof REBUILDABLE)[number];

/** POST /v1/store/rebuild */
export interface RebuildOrder {
  readonly tables: readonly Rebuildable[];
}

/** GET /v1/store/rebuild: how far it is. */
export interface RebuildState {
  /** Still to be made, the next first; empty: all is done. */
  readonly left: readonly Rebuildable[];
  /** May lack what a killed server had not kept, until they are made anew. */
  readonly in_doubt: readonly Rebuildable[];
  /** Why the last try failed; it is tried again. Empty otherwise. */
  readonly failure: string;
}
