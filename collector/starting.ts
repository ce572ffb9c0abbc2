// What a collector's start is given, and what its steps hand on to each other.

import type { Config } from '../contract/config/config.ts';
import type { Clock } from '../kit/clock.ts';
import type { Lifecycle } from '../kit/lifecycle.ts';
import type { Log } from '../kit/log.ts';
import type { Secrets } from '../kit/secrets.ts';
import type { CollectorConfig, Places } from './config.ts';

export interface CollectorOptions {
  readonly config: Config;
  readonly dataDirectory: string;
  /** Accepted as a join token beside the one in the file: OUTRIDER_TOKEN. */
  readonly token?: string | undefined;
  /** Where `env:` secrets are read: of exports, of alerts. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly clock: Clock;
}

export interface Start extends CollectorOptions {
  readonly lifecycle: Lifecycle;
  readonly places: Places;
  readonly settings: CollectorConfig;
  readonly secrets: Secrets;
  /** The config in force, which a reload replaces. */
  inForce(): Config;
}
