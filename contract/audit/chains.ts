// The chains of an export by their streams, fed from two sides: what leaves claim, a little ahead of what rows hold.

import { Chain, type ChainFinding, type ChainRules } from './chain.ts';
import type { FoundIn, Report } from './finding.ts';
import type { Leaf } from './leaf.ts';

export interface PlacedLeaf extends Leaf {
  readonly logIndex: number;
}

export interface Chains {
  of(stream: string): Chain;
  /** Names what is missing; how many links no leaf brought. */
  end(): number;
  readonly size: number;
}

/** Streams of control events begin so; all others are sidecars' records. */
export const CONTROL_STREAM_PREFIX = 'control/';

export function createChains(found: FoundIn, rules: ChainRules, report: Report): Chains {
  const chains = new Map<string, Chain>();
  const create = (stream: string): Chain => {
    const reportIn = (finding: ChainFinding): void => report({ ...finding, in: found, stream });
    const chain = new Chain(reportIn, rules);
    chains.set(stream, chain);
    return chain;
  };
  return {
    of: (stream) => chains.get(stream) ?? create(stream),
    end: () => [...chains.values()].reduce((unlogged, chain) => unlogged + chain.end(), 0),
    get size() {
      return chains.size;
    },
  };
}

/** What a leaf claims of which chains. */
export interface Claims {
  /** In the order of the log. */
  readonly leaves: AsyncIterator<PlacedLeaf>;
  concerns(stream: string): boolean;
  /** Whether the links that a leaf brought are among those exported. */
  isExported(leaf: Leaf): boolean;
}

/** A call may have run for so long before its request came. */
const AHEAD_MS = 3_600_000;

/** Feeds the chains what was claimed up to a while after a time, in milliseconds. */
export function claimer(claims: Claims, chains: Chains): (ms: number) => Promise<void> {
  let ahead: IteratorResult<PlacedLeaf> | null = null;
  const take = (leaf: PlacedLeaf): void => {
    for (const { stream, first, last, head } of leaf.chains) {
      if (!claims.concerns(stream)) continue;
      const chain = chains.of(stream);
      if (claims.isExported(leaf)) chain.claim({ first, last, head, logIndex: leaf.logIndex });
      else chain.excuse(first, last, head);
    }
  };
  return async (ms) => {
    for (;;) {
      ahead ??= await claims.leaves.next();
      if (ahead.done || ahead.value.receivedMs >= ms + AHEAD_MS) return;
      take(ahead.value);
      ahead = null;
    }
  };
}
