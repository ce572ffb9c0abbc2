// Names to addresses, two ways. A host that an operator declared is asked for as the operator wrote it: /etc/hosts, the
// search domains of a container platform, a private name service, all by the system's own resolver. A host that only a
// pattern reaches is the agent's choice: asked of DNS alone, as a full name, off the thread pool. The system's resolver
// would let an agent name hosts whose name servers never answer, and hold every thread that also syncs the journal.

import type { LookupAddress } from 'node:dns';
import { lookup, Resolver as NameServers } from 'node:dns/promises';

export interface Resolver {
  /** By everything this machine knows. Rejects with the system's error. */
  known(host: string): Promise<readonly LookupAddress[]>;
  /** By DNS alone, within 5 s. Rejects with the name server's error, or when there is no address at all. */
  published(host: string): Promise<readonly LookupAddress[]>;
}

const ANSWERED_WITHIN_MS = 5_000;
const TRY_MS = 1_500;
const TRIES = 2;

/** `servers`: name servers as `address:port`, instead of the system's. */
export function createResolver(servers?: readonly string[]): Resolver {
  return {
    known: (host) => lookup(host, { all: true, order: 'verbatim' }),
    async published(host) {
      const asked = new NameServers({ timeout: TRY_MS, tries: TRIES, maxTimeout: TRY_MS });
      if (servers) asked.setServers(servers);
      const late = setTimeout(() => asked.cancel(), ANSWERED_WITHIN_MS);
      try {
        const [v4, v6] = await Promise.allSettled([asked.resolve4(host), asked.resolve6(host)]);
        const found = [...addressesOf(v4, 4), ...addressesOf(v6, 6)];
        if (found.length > 0) return found;
        throw v4.status === 'rejected' ? v4.reason : new Error(`${host} has no address`);
      } finally {
        clearTimeout(late);
      }
    },
  };
}

/** A name with addresses of one family only is as good as one with both. */
const addressesOf = (answer: PromiseSettledResult<string[]>, family: 4 | 6): LookupAddress[] =>
  answer.status === 'fulfilled' ? answer.value.map((address) => ({ address, family })) : [];
