// A store while it opens, which takes seconds and after a crash longer: whoever asks waits until it stands, so that the doors
// may take records meanwhile.

import { sentenceOf } from '../../kit/log.ts';
import { StoreUnavailable } from './failures.ts';
import { ALONE } from './layout.ts';
import type { Store } from './store.ts';

/** What waits for an opening that fails throws StoreUnavailable; why it failed is for whoever opens it to hear. */
export function whileOpening(opening: Promise<Store>): Store {
  let opened: Store | null = null;
  const standing = opening.then(
    (store) => {
      opened = store;
      return store;
    },
    (failure: unknown) => {
      throw new StoreUnavailable(`the store could not be opened: ${sentenceOf(failure)}`, { cause: failure });
    },
  );
  standing.catch(() => undefined); // nobody may be waiting
  return {
    get sqlUrl() {
      return opened?.sqlUrl ?? null;
    },
    server: null,
    layout: ALONE,
    load: async (segment) => (await standing).load(segment),
    takeBack: async (segment) => (await standing).takeBack(segment),
    query: async (sql, parameters) => (await standing).query(sql, parameters),
    command: async (statement) => (await standing).command(statement),
    isOpen: () => opened?.isOpen() ?? false,
    memoryBytes: async () => opened?.memoryBytes() ?? 0,
    async close() {
      const store = await opening.catch(() => null);
      await store?.close();
    },
  };
}
