// The policy in force: a config with what is compiled from it, replaced as a whole while calls run. Every call keeps the
// one it began with; whatever outlives a call asks here each time.

import type { Config } from '../contract/config/config.ts';
import type { Policy } from './call.ts';
import { createPriceBook } from './state/prices.ts';

export interface PolicyInForce {
  readonly current: Policy;
  replace(config: Config): void;
}

export function createPolicyInForce(first: Config): PolicyInForce {
  const compiled = (config: Config): Policy => ({
    config,
    digest: config.digest,
    prices: createPriceBook(config),
  });
  let current = compiled(first);
  return {
    get current() {
      return current;
    },
    replace(config) {
      current = compiled(config);
    },
  };
}
