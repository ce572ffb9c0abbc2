// What the store holds of a stretch of a chain: asked when something of it came a second time.

import type { ChainRange } from '../../contract/chain-ranges.ts';
import type { Store } from './store.ts';

/** How many numbers of the range have records with different hashes: 0 where all came once, or came again as they were. */
export async function linksTwofold(
  store: Pick<Store, 'query'>,
  { stream, first, last }: ChainRange,
): Promise<number> {
  const rows = await store.query<{ links: string }>(
    `SELECT toString(count()) AS links FROM (
       SELECT audit_seq FROM actions
       WHERE audit_stream = {stream:String} AND audit_seq BETWEEN {first:UInt64} AND {last:UInt64}
       GROUP BY audit_seq HAVING uniqExact(audit_hash) > 1)`,
    { stream, first, last },
  );
  return Number(rows[0]?.links ?? 0);
}
