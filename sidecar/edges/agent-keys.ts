// The agents' own keys towards this sidecar, read at start and again every half minute: a revoked key stops working.

import type { Config } from '../../contract/config/config.ts';
import type { Clock } from '../../kit/clock.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import type { Secrets } from '../../kit/secrets.ts';
import type { AgentKey } from '../state/agents.ts';

export interface AgentKeys {
  readonly current: readonly AgentKey[];
  /** Reads them again now: the config changed. */
  again(): Promise<void>;
  stop(): void;
}

export const KEYS_FRESH_MS = 30_000;

export async function readAgentKeys(
  config: () => Config,
  secrets: Secrets,
  clock: Clock,
  log: Log,
  /** Told of the entries whose key no longer holds: what runs under it ends. */
  revoked: (patterns: ReadonlySet<string>) => void,
): Promise<AgentKeys> {
  let current: readonly AgentKey[] = [];
  let stopped = false;
  let cancel: () => void = () => undefined;

  const read = async (): Promise<void> => {
    const found: AgentKey[] = [];
    const unreadable = new Set<string>();
    for (const { pattern, key } of config().agents.values()) {
      if (!key) continue;
      try {
        found.push({ pattern, key: await secrets.read(key) });
      } catch (failure) {
        unreadable.add(pattern); // perhaps for a moment: nothing new begins, and what runs may end
        log.warn('agent_key.unreadable', { agent: pattern, failure: sentenceOf(failure) });
      }
    }
    const gone = current.filter(
      ({ pattern, key }) =>
        !unreadable.has(pattern) && !found.some((each) => each.pattern === pattern && each.key === key),
    );
    current = found;
    if (gone.length > 0) revoked(new Set(gone.map(({ pattern }) => pattern)));
    cancel();
    if (!stopped && found.length > 0) cancel = clock.after(KEYS_FRESH_MS, () => void read());
  };

  await read();
  return {
    get current() {
      return current;
    },
    again: read,
    stop() {
      stopped = true;
      cancel();
    },
  };
}
