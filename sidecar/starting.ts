// What a start is given, what it answers, and what its steps hand on to each other.

import type { Config } from '../contract/config/config.ts';
import type { Clock } from '../kit/clock.ts';
import type { Lifecycle } from '../kit/lifecycle.ts';
import type { Log } from '../kit/log.ts';
import type { Bodies } from './accept/body.ts';
import type { Replays } from './dead-letters/replays.ts';
import type { Meters } from './meters/meters.ts';
import type { Services } from './pipeline.ts';
import type { PolicyInForce } from './policy-in-force.ts';
import type { Admission } from './stages/break-circuit.ts';

export interface SidecarOptions {
  readonly config: Config;
  /** The root that collector and sidecars share; this sidecar takes a folder of its own in it. */
  readonly dataDirectory: string;
  /** All traffic is this agent's; null identifies each call by its agent key. */
  readonly agent: string | null;
  /** Tells instances of one agent apart; each has a journal of its own. */
  readonly instance: string;
  /** The task of calls that name none; else one per quarter of an hour without a call. */
  readonly task?: string;
  /** The collector's control API and OTLP receiver; the config's when not given. */
  readonly collectorUrl?: string;
  readonly otlpUrl?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Sidecar {
  readonly listen: { readonly proxy: string; readonly admin: string };
  endTask(task: string, state: 'done' | 'failed'): Promise<void>;
  /**
   * Puts another config in force for the calls that begin from now on. Throws an Error with one sentence, and changes
   * nothing, when it does not know the agent whose sidecar this is. Listeners, journal and collector stay as they are.
   */
  reload(config: Config): Promise<void>;
  /** Refuses new calls, lets running ones end, gives money back, ships the records. Never rejects. */
  stop(): Promise<void>;
}

export interface Start extends SidecarOptions {
  readonly lifecycle: Lifecycle;
  readonly policy: PolicyInForce;
  /** The config in force, which a reload replaces. */
  inForce(): Config;
}

/** What carries a call. */
export interface Carrying {
  readonly services: Services;
  readonly admission: Admission;
  readonly bodies: Bodies;
  readonly meters: Meters;
  readonly replays: Replays;
  /** What the doors will listen on: never dialled. */
  readonly ownPorts: Set<number>;
}
