// Tells the collector which policy each agent here runs, once for each that is put in force; one after the other, for the
// policy's text goes with the first alone. It rides on heartbeats: where one was answered the report follows, and what went
// wrong is tried again with the next.

import type { Config } from '../contract/config/config.ts';
import { relativeSources } from '../contract/policy.ts';
import type { Clock } from '../kit/clock.ts';
import { type Log, sentenceOf } from '../kit/log.ts';
import { type ControlPlane, ControlPlaneError } from './edges/control-plane.ts';

export interface PolicyReports {
  /** The collector answers: it may hear of the policy now. Never rejects, and nothing waits for it. */
  tell(agent: string, instance: string): void;
}

export function createPolicyReports(use: {
  readonly control: ControlPlane;
  /** The one in force. */
  config(): Config;
  /** `user@host`. */
  readonly by: string;
  readonly clock: Clock;
  readonly log: Log;
}): PolicyReports {
  /** The digest that is told, or being told, for each agent. */
  const told = new Map<string, string>();
  let current = { digest: use.config().digest, loadedAtMs: use.clock.nowMs() };
  /** The digest whose text the collector has. */
  let kept = '';
  let before = Promise.resolve();

  const report = async (
    agent: string,
    instance: string,
    { digest, sources }: Config,
    loadedAtMs: number,
  ): Promise<void> => {
    try {
      await use.control.reportPolicy({
        digest,
        agent,
        instance,
        loaded_at: loadedAtMs,
        by: use.by,
        sources: digest === kept ? [] : relativeSources(sources),
      });
      kept = digest;
    } catch (failure) {
      const isFinal = failure instanceof ControlPlaneError && failure.status < 500 && failure.status !== 401;
      if (!isFinal && told.get(agent) === digest) told.delete(agent);
      use.log.warn('policy.not_told', { agent, digest, failure: sentenceOf(failure) });
    }
  };

  return {
    tell(agent, instance) {
      const config = use.config();
      if (config.digest !== current.digest)
        current = { digest: config.digest, loadedAtMs: use.clock.nowMs() };
      if (told.get(agent) === config.digest) return;
      told.set(agent, config.digest);
      const { loadedAtMs } = current;
      before = before.then(() => report(agent, instance, config, loadedAtMs));
    },
  };
}
