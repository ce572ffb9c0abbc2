// Files that hold the requests of a batch, as they were judged and bounded when they were uploaded. Kept in memory alone:
// after a restart a file has to be uploaded again.

import type { Amounts } from '../../contract/money.ts';
import type { Judgement } from '../../contract/rules.ts';
import type { Price } from './prices.ts';

export interface BatchFile {
  /** Which agent uploaded it; no other may submit it. */
  readonly agent: string;
  readonly upstream: string;
  /** The name of the endpoint that all its requests are for. */
  readonly endpoint: string;
  /** The policy it was judged under: under another one it has to be judged again. */
  readonly policyDigest: string;
  readonly judgement: Judgement;
  /** Null where what its requests cost has no bound. */
  readonly bound: Bound | null;
}

/** The most several requests can cost, and the price of the first of them. */
export interface Bound {
  readonly held: Amounts;
  readonly price: Price;
}

export interface BatchFiles {
  keep(id: string, file: BatchFile): void;
  find(agent: string, upstream: string, id: string): BatchFile | undefined;
}

/** Beyond so many the oldest is forgotten. */
export const BATCH_FILES_MAX = 1_000;

export function createBatchFiles(): BatchFiles {
  const files = new Map<string, BatchFile>();
  const key = (agent: string, upstream: string, id: string) => JSON.stringify([agent, upstream, id]);
  return {
    keep(id, file) {
      const [oldest] = files.keys();
      if (oldest !== undefined && files.size >= BATCH_FILES_MAX) files.delete(oldest);
      files.set(key(file.agent, file.upstream, id), file);
    },
    find: (agent, upstream, id) => files.get(key(agent, upstream, id)),
  };
}
