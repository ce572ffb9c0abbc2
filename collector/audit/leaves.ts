// What the log says of a request. Only an authenticated sender's word on the chains it holds counts; what does not fit
// a leaf is left out of it, for a request that was accepted must have its leaf.

import { type Leaf, NO_DIGEST } from '../../contract/audit/leaf.ts';
import { type ChainRange, parseChainRanges } from '../../contract/chain-ranges.ts';
import type { AcceptedRequest } from '../queue/sequencer.ts';
import { isForeign } from '../senders.ts';
import { signalOf } from '../signals.ts';
import type { NewLeaf } from './growth.ts';

const NAME_BYTES_MAX = 255;
/** With names of that length they fit an entry of the log. */
const CHAINS_MAX = 128;

export function requestLeaf(segment: string, request: AcceptedRequest): NewLeaf {
  const { digest, items, sender, chains } = request;
  return {
    kind: 'request',
    signal: signalOf(segment),
    sender: fitting(sender),
    segment,
    items,
    digest,
    chains: isForeign(sender) ? [] : rangesIn(chains),
  };
}

/** What the log says of itself. */
export function ownLeaf(
  kind: Exclude<Leaf['kind'], 'request'>,
  more: Partial<Pick<Leaf, 'digest' | 'items'>> = {},
): NewLeaf {
  return { kind, signal: 'none', sender: '', segment: '', items: 0, digest: NO_DIGEST, chains: [], ...more };
}

function rangesIn(texts: readonly string[]): readonly ChainRange[] {
  return texts
    .flatMap((text) => parseChainRanges(text) ?? [])
    .filter(({ stream }) => Buffer.byteLength(stream) <= NAME_BYTES_MAX)
    .slice(0, CHAINS_MAX);
}

/** Cut, not refused. */
function fitting(name: string): string {
  const bytes = Buffer.from(name);
  return bytes.length <= NAME_BYTES_MAX
    ? name
    : bytes.toString('utf8', 0, NAME_BYTES_MAX - 3).replace(/\ufffd+$/, '');
}
