// A chain that is put together from links in any order.

import { expect, it } from 'vitest';
import { Chain, type ChainFinding } from '../../../contract/audit/chain.ts';
import { CHAIN_START } from '../../../contract/audit-entry.ts';

const hashOf = (seq: number): string => (seq < 0 ? CHAIN_START : `hash ${seq}`);
const link = (seq: number) => ({ seq, hash: hashOf(seq), previous: hashOf(seq - 1), callId: `call-${seq}` });

it('gives up a link that is missing once a hundred thousand wait for it', () => {
  const found: ChainFinding[] = [];
  const chain = new Chain((finding) => void found.push(finding), {
    acceptsUnlogged: true,
    startsLate: false,
  });
  for (let seq = 1; seq <= 100_000; seq += 1) chain.record(link(seq));
  expect(found).toEqual([]);
  chain.record(link(100_001));
  expect(found).toEqual([{ kind: 'deleted', seq: 0, what: 'It is missing.' }]);
  chain.record(link(100_002));
  chain.end();
  expect(found).toHaveLength(1);
});
