// Recalls on their way from the ledger to the instances that follow them. Nobody there: nothing lost, the slice stays
// where it is until it is settled or expires.

import type { Recall } from '../contract/budget.ts';

export interface Recalls {
  tell(recall: Recall): void;
  /** The returned function ends it. */
  follow(agent: string, instance: string, tell: (recall: Recall) => void): () => void;
}

export function createRecalls(): Recalls {
  const followers = new Map<string, Set<(recall: Recall) => void>>();
  const keyOf = (agent: string, instance: string): string => `${agent}/${instance}`;
  return {
    tell(recall) {
      for (const follower of followers.get(keyOf(recall.agent, recall.instance)) ?? []) follower(recall);
    },
    follow(agent, instance, tell) {
      const key = keyOf(agent, instance);
      const set = followers.get(key) ?? new Set();
      followers.set(key, set.add(tell));
      return () => {
        set.delete(tell);
        if (set.size === 0) followers.delete(key);
      };
    },
  };
}
