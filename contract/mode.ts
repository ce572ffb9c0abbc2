// A mode that someone put in force for a while in place of the config's: what people ask of the collector, and what it
// tells sidecars. Durations go over the wire, never times of day, so that no clock but each process's own is believed.

import type { Mode } from './attributes.ts';

/** Observing lets pass what the rules refuse, so it always ends by itself, and soon. */
export const OBSERVE_MS_MAX = 24 * 3_600_000;
export const MODE_MS_MAX = 366 * 24 * 3_600_000;

/** POST /v1/modes. `agent` is an agent's name, or an entry of the config with `*` for all agents it rules. */
export interface ModeOrder {
  readonly agent: string;
  readonly mode: Mode;
  /** Milliseconds; null, which only `enforce` may be, lasts until it is restored. */
  readonly for_ms: number | null;
  readonly reason: string;
}

/** GET /v1/modes: one line per order in force. */
export interface ModeLine {
  readonly agent: string;
  readonly mode: Mode;
  /** What the collector's config says; null for an agent it does not name. */
  readonly configured: Mode | null;
  readonly since: string;
  readonly until: string | null;
  readonly actor: string;
  readonly reason: string;
}

/** What a sidecar is told: in each heartbeat's answer, and at once by the event `mode`. Null: what its config says. */
export type ModeInForce = { readonly mode: Mode; readonly ms_left: number | null } | null;

/** GET /v1/events, event `mode`. */
export interface ModeNotice {
  readonly agent: string;
  readonly in_force: ModeInForce;
}
