import { describe, expect, it } from 'vitest';
import { leafHash, sameHash } from '../../../kit/tlog/merkle.ts';
import { createTileTree } from '../../../kit/tlog/tile-tree.ts';
import { type Outcome, simulate } from './simulation.ts';

const SEEDS = 40;
const FIRST = Number(process.env.OUTRIDER_SEED ?? 1);

describe('COL-32: a queue under crashes, power cuts, disk errors and an absent store', () => {
  it.each(Array.from({ length: SEEDS }, (_, index) => FIRST + index))('seed %i', async (seed) => {
    const outcome = await simulate(seed);
    const { acknowledged, poisonous, stored, quarantined } = outcome;
    expect(acknowledged.length).toBeGreaterThan(20);
    const lost = acknowledged.filter((digest) => !stored.has(digest) && !quarantined.has(digest));
    expect(lost, 'acknowledged and gone').toEqual([]);
    const twice = [...stored].filter(([, count]) => count > 1);
    expect(twice, 'stored twice').toEqual([]);
    const wrongly = [...stored.keys()].filter((digest) => poisonous.has(digest));
    expect(wrongly, 'poison in the store').toEqual([]);
    const held = [...quarantined.keys()].filter((digest) => !poisonous.has(digest));
    expect(held, 'good messages in quarantine').toEqual([]);
    expect(outcome.mixed, 'signals in one segment').toEqual([]);
    expect(outcome.outOfOrder, 'overtaken by what its sender sent later').toEqual([]);
    expect(outcome.filesLeft).toEqual([]);
    const unlogged = acknowledged.filter((digest) => !outcome.logged.has(digest));
    expect(unlogged, 'acknowledged and not in the audit log').toEqual([]);
    const stories = inconsistent(outcome);
    expect(stories, 'checkpoints that the log at the end does not begin with').toEqual([]);
  });
});

/** Checkpoints of the one log there is whose root is not that of its first leaves. */
function inconsistent({ checkpoints, leaves }: Outcome): string[] {
  const origins = new Set(checkpoints.map(({ origin }) => origin));
  if (origins.size !== 1) return [...origins];
  const tree = createTileTree();
  const roots = [tree.root()];
  for (const leaf of leaves) {
    tree.append(leafHash(leaf));
    roots.push(tree.root());
  }
  return checkpoints
    .filter(({ size, root }) => !sameHash(root, roots[size]!))
    .map(({ size }) => `${size} leaves`);
}
