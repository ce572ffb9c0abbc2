// What a record holds as label values of which there can only be so many: whoever sends calls must not be able to grow
// the memory of this process, or of the Prometheus that scrapes it, by making up names.

import { agentNamed, type Config } from '../../contract/config/config.ts';
import { MODEL_LABELS_MAX, OTHER, UNKNOWN_AGENT } from '../../contract/metrics.ts';
import { firstOf } from '../../kit/metrics.ts';
import type { CallRecord } from '../record.ts';

export interface Labels {
  /** The config's entry: names made at run time share their pattern. */
  agent(name: string): string;
  upstream(name: string): string;
  model(name: string): string;
  /** Providers word their errors as they like. */
  errorType(name: string): string;
  /** The credential that a call failed with: the one it carried, else the one it would have carried. */
  credential(record: CallRecord): string;
}

const AGENTS_KNOWN_MAX = 1_000;
const ERROR_TYPES_MAX = 32;
/** What OpenTelemetry's conventions say for an error type that has no name of its own. */
const OTHER_ERROR = '_OTHER';

export function createLabels(config: () => Config): Labels {
  const patterns = new Map<string, string>();
  let digest = '';

  return {
    agent(name) {
      if (config().digest !== digest || patterns.size > AGENTS_KNOWN_MAX) {
        digest = config().digest;
        patterns.clear();
      }
      let pattern = patterns.get(name);
      if (pattern === undefined) {
        pattern = agentNamed(config(), name)?.pattern ?? UNKNOWN_AGENT;
        patterns.set(name, pattern);
      }
      return pattern;
    },
    upstream: (name) => (config().upstreams.has(name) ? name : OTHER),
    model: firstOf(MODEL_LABELS_MAX, OTHER),
    errorType: firstOf(ERROR_TYPES_MAX, OTHER_ERROR),
    credential({ credential, agent, upstream }) {
      const own = agentNamed(config(), agent)?.credentials.get(upstream);
      const name = credential || own || config().upstreams.get(upstream)?.credential || OTHER;
      // What the agent itself sent is recorded by its fingerprint.
      return name.startsWith('agent:') ? 'agent' : name;
    },
  };
}
